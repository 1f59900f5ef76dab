import FIMLCore
import MarketData

/// One request to a provider, and how its answer is read. Knows no network.
public struct Endpoint<Figures: Sendable>: Sendable {
    /// Whom to ask.
    public var provider: ProviderName
    /// What to ask, without the base URL.
    public var request: ProviderRequest
    /// Reads the body of a 200 answer, or the request's `answerField`. Throws when it holds nothing that can
    /// be used.
    public var decode: @Sendable (_ body: [UInt8]) throws(MarketDataError) -> Decoded<Figures>

    /// An endpoint with every part given.
    public init(
        _ provider: ProviderName, _ request: ProviderRequest,
        decode: @escaping @Sendable (_ body: [UInt8]) throws(MarketDataError) -> Decoded<Figures>
    ) {
        self.provider = provider
        self.request = request
        self.decode = decode
    }
}

/// What to ask a provider.
public struct ProviderRequest: Hashable, Sendable {
    /// The path, which begins with a slash and is encoded already.
    public var path: String
    /// The query, name and value, not encoded yet.
    public var query: [[String]]
    /// Fields beside the usual ones, name and value.
    public var fields: [[String]]
    /// A JSON body.
    public var body: [UInt8]?
    /// The field whose value is what the endpoint reads, instead of the body and whatever the status; nil for
    /// the body.
    public var answerField: String?
    /// Whether the answer tells no time and counts from when it is read. It is never asked for only if it has
    /// changed: one that is kept would count from now, however old it is.
    public var countsFromReading: Bool
    /// Whose API it is sent to, where that is not the provider's by whose limits it goes.
    public var sentTo: ProviderName?
    /// How many of the provider's tokens it takes, where one question weighs more than another; at least 1.
    public var weight: Int

    /// A request; a GET unless there is a body.
    public init(
        _ path: String, query: [[String]] = [], fields: [[String]] = [], body: [UInt8]? = nil,
        answerField: String? = nil, countsFromReading: Bool = false, sentTo: ProviderName? = nil,
        weight: Int = 1
    ) {
        self.path = path
        self.query = query
        self.fields = fields
        self.body = body
        self.answerField = answerField
        self.countsFromReading = countsFromReading
        self.sentTo = sentTo
        self.weight = weight
    }
}

/// What could be read out of an answer, and what of it was refused.
public struct Decoded<Figures: Sendable>: Sendable {
    /// What can be used.
    public var figures: Figures
    /// What cannot.
    public var refused: RefusedFigures

    /// Figures, and what was refused beside them.
    public init(_ figures: Figures, refused: RefusedFigures = RefusedFigures()) {
        self.figures = figures
        self.refused = refused
    }
}

/// Figures of an answer that cannot be used: how many, and the reasons of the first.
public struct RefusedFigures: Hashable, Sendable {
    /// How many reasons are kept.
    static let keptReasons = 3

    /// How many figures were refused.
    public private(set) var count = 0
    /// `prices[3].close is "None", which is not a number`, of the first three.
    public private(set) var reasons: [String] = []

    /// Nothing was refused.
    public init() {}

    /// Refuses one more.
    public mutating func add(_ reason: String) {
        count += 1
        if reasons.count < Self.keptReasons { reasons.append(reason) }
    }
}
