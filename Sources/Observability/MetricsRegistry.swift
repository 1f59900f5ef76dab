import Locking

/// All metrics of the process. They are registered at start and read by whoever renders them.
///
/// A counter's name ends in `_total`; a name that ends in a base unit (`_seconds`, `_bytes`, before `_total`)
/// has that unit. Names and labels are the program's own, so a wrong one is a fault of ours and stops the
/// start.
public final class MetricsRegistry: Sendable {
    /// One metric as it is rendered.
    struct Metric: Sendable {
        enum Kind: String, Sendable {
            case counter, gauge, histogram
        }

        /// With `_total` where it is a counter.
        let name: String
        let kind: Kind
        let help: String
        /// In the order of registration.
        let samples: [Sample]
    }

    /// One instrument and its labels.
    struct Sample: Sendable {
        enum Source: Sendable {
            case counter(Counter)
            case gauge(Gauge)
            case histogram(Histogram)
            case function(@Sendable () -> Double?)
        }

        let labels: [(name: String, value: String)]
        let source: Source
    }

    private let metrics = Locked<[Metric]>([])

    /// An empty registry.
    public init() {}

    /// A counter; `name` ends in `_total`.
    public func counter(_ name: String, _ help: String) -> Counter {
        let counter = Counter()
        register(name, .counter, help, [Sample(labels: [], source: .counter(counter))])
        return counter
    }

    /// A counter for each combination of the labels' values.
    public func counters(_ name: String, _ help: String, labels: MetricLabel...) -> MetricFamily<Counter> {
        family(name, .counter, help, labels, make: { Counter() }, source: Sample.Source.counter)
    }

    /// A gauge.
    public func gauge(_ name: String, _ help: String, partsPerUnit: Int = 1) -> Gauge {
        let gauge = Gauge(partsPerUnit: partsPerUnit)
        register(name, .gauge, help, [Sample(labels: [], source: .gauge(gauge))])
        return gauge
    }

    /// A gauge for each combination of the labels' values.
    public func gauges(
        _ name: String, _ help: String, partsPerUnit: Int = 1, labels: MetricLabel...
    ) -> MetricFamily<Gauge> {
        family(
            name, .gauge, help, labels, make: { Gauge(partsPerUnit: partsPerUnit) },
            source: Sample.Source.gauge)
    }

    /// A histogram of times; `name` ends in `_seconds`.
    public func histogram(_ name: String, _ help: String, bounds: [Duration]) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        register(name, .histogram, help, [Sample(labels: [], source: .histogram(histogram))])
        return histogram
    }

    /// A histogram for each combination of the labels' values.
    public func histograms(
        _ name: String, _ help: String, bounds: [Duration], labels: MetricLabel...
    ) -> MetricFamily<Histogram> {
        family(
            name, .histogram, help, labels, make: { Histogram(bounds: bounds) },
            source: Sample.Source.histogram)
    }

    /// A gauge that is read when it is rendered; nil leaves it out.
    public func gauge(_ name: String, _ help: String, read: @escaping @Sendable () -> Double?) {
        register(name, .gauge, help, [Sample(labels: [], source: .function(read))])
    }

    /// A counter that is read when it is rendered; nil leaves it out.
    public func counter(_ name: String, _ help: String, read: @escaping @Sendable () -> Double?) {
        register(name, .counter, help, [Sample(labels: [], source: .function(read))])
    }

    /// A gauge for each value of a label, read when it is rendered; nil leaves that one out.
    public func gauges(
        _ name: String, _ help: String, label: MetricLabel, read: @escaping @Sendable (String) -> Double?
    ) {
        register(name, .gauge, help, samples(label, read))
    }

    /// A counter for each value of a label, read when it is rendered; nil leaves that one out.
    public func counters(
        _ name: String, _ help: String, label: MetricLabel, read: @escaping @Sendable (String) -> Double?
    ) {
        register(name, .counter, help, samples(label, read))
    }

    private func samples(
        _ label: MetricLabel, _ read: @escaping @Sendable (String) -> Double?
    ) -> [Sample] {
        label.values.map { value in
            Sample(labels: [(label.name, value)], source: .function { read(value) })
        }
    }

    /// All metrics as text.
    public func render(_ format: ExpositionFormat) -> String {
        var renderer = MetricsRenderer(format: format)
        for metric in metrics.withLock({ $0 }) { renderer.append(metric) }
        return renderer.finished()
    }

    private func family<Instrument: Sendable>(
        _ name: String, _ kind: Metric.Kind, _ help: String, _ labels: [MetricLabel],
        make: () -> Instrument, source: (Instrument) -> Sample.Source
    ) -> MetricFamily<Instrument> {
        let combinations = labels.reduce([[]]) { partial, label in
            partial.flatMap { values in label.values.map { values + [$0] } }
        }
        let instruments = combinations.map { _ in make() }
        let samples = zip(combinations, instruments).map { values, instrument in
            Sample(labels: zip(labels, values).map { ($0.name, $1) }, source: source(instrument))
        }
        register(name, kind, help, samples)
        return MetricFamily(
            labels: labels, instruments: Dictionary(uniqueKeysWithValues: zip(combinations, instruments)))
    }

    private func register(_ name: String, _ kind: Metric.Kind, _ help: String, _ samples: [Sample]) {
        let labelNames = samples.first?.labels.map(\.name) ?? []
        precondition(
            (labelNames + [name]).allSatisfy(Self.isName), "\(name) \(labelNames): not a metric's names")
        precondition(
            (kind == .counter) == name.hasSuffix("_total"), "\(name): _total is for counters, and for all")
        precondition(kind != .histogram || name.hasSuffix("_seconds"), "\(name): histograms are of seconds")
        metrics.withLock { metrics in
            precondition(!metrics.contains { $0.name == name }, "\(name) is registered twice")
            metrics.append(Metric(name: name, kind: kind, help: help, samples: samples))
        }
    }

    private static func isName(_ name: String) -> Bool {
        name.first?.isLetter == true
            && name.allSatisfy { $0 == "_" || ($0.isASCII && ($0.isNumber || $0.isLowercase)) }
    }
}
