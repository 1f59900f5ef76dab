/// A label and every value it can have; what comes from outside needs `other` as the last.
public struct MetricLabel: Sendable {
    /// The label's name.
    let name: String
    /// All values.
    let values: [String]

    /// A label with its values, at least one.
    public init(_ name: String, _ values: [String]) {
        precondition(!values.isEmpty, "label \(name) has no values")
        (self.name, self.values) = (name, values)
    }
}

/// The instruments of one labelled metric, one for each combination of label values, all there from the
/// start.
///
/// Take the instrument out once and keep it; to look one up is for what happens rarely.
public struct MetricFamily<Instrument: Sendable>: Sendable {
    private let labels: [MetricLabel]
    private let instruments: [[String]: Instrument]

    init(labels: [MetricLabel], instruments: [[String]: Instrument]) {
        precondition(!labels.isEmpty, "a family needs labels")
        (self.labels, self.instruments) = (labels, instruments)
    }

    /// The instrument for these values, in the order of the labels. A value that the label does not have
    /// counts as the label's last.
    public subscript(values: String...) -> Instrument {
        precondition(values.count == labels.count, "one value for each of \(labels.map(\.name))")
        let key = zip(labels, values).map { label, value in
            label.values.contains(value) ? value : label.values[label.values.count - 1]
        }
        guard let instrument = instruments[key] else { preconditionFailure("no instrument for \(key)") }
        return instrument
    }
}
