import FIMLCore

/// Judges an asset by figures. Pure: the same figures give the same finding.
///
/// The figures come from outside and may be anything that their types allow: none, one, flat, with holes,
/// huge. Whatever they are, a worker answers or says what is missing, and no number that it gives is NaN or
/// infinite.
public protocol Worker: Sendable {
    /// Which of the eight it is.
    var type: WorkerType { get }

    /// The finding. Throws where the figures do not suffice for any.
    func analyze(_ figures: Figures) throws(InsufficientData) -> Finding
}

/// There are too few figures to say anything.
public struct InsufficientData: Error, Hashable {
    /// What is missing; at least one.
    public var missing: [MissingFigures]

    /// Says what is missing.
    public init(_ missing: [MissingFigures]) {
        self.missing = missing
    }
}

/// What a worker found.
public struct Finding: Hashable, Sendable {
    /// 0, the worst for who holds the asset, to 10.
    public var score: Double
    /// How much it rests on, 0 to 1; each worker documents how it comes about.
    public var confidence: Double
    /// From when the newest figure is that it rests on.
    public var asOf: Timestamp
    /// The worker's own results by FIML's names. A figure that could not be computed is `null`, and `missing`
    /// says why.
    public var details: [String: JSONValue]
    /// What would have made it more complete.
    public var missing: [MissingFigures]

    /// A finding; score and confidence are kept within their ranges.
    public init(
        score: Double, confidence: Double, asOf: Timestamp, details: [String: JSONValue],
        missing: [MissingFigures] = []
    ) {
        self.score = min(max(score, 0), 10)
        self.confidence = min(max(confidence, 0), 1)
        self.asOf = asOf
        self.details = details
        self.missing = missing
    }
}

extension JSONValue {
    /// A figure; `null` where there is none, or it is not finite.
    public static func figure(_ value: Double?) -> JSONValue {
        value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
}
