/// What a comparison of a filter can look at, by its path in the event.
enum EventField: String, CaseIterable, Sendable {
    case eventID = "event_id"
    case type, severity, status, fingerprint, watchdog
    case asset
    case assetSymbol = "asset.symbol"
    case assetName = "asset.name"
    case assetType = "asset.asset_type"
    case assetMarket = "asset.market"
    case assetExchange = "asset.exchange"
    case assetCurrency = "asset.currency"
    case assetPair = "asset.pair"
    case assets, description
    case evidence
    case evidenceRule = "evidence.rule"
    case evidenceOperator = "evidence.operator"
    case evidenceThreshold = "evidence.threshold"
    case evidenceObserved = "evidence.observed"
    case evidenceWindowSeconds = "evidence.window_seconds"
    case timestamp
    case startsAt = "starts_at"
    case endsAt = "ends_at"

    /// How the field compares. Severities and times are compared as numbers, their rank and their
    /// milliseconds; the operands are translated when the filter is read.
    enum Kind {
        case plain, severity, time
        case name(known: [String])
    }

    var kind: Kind {
        switch self {
        case .severity: .severity
        case .timestamp, .startsAt, .endsAt: .time
        case .type: .name(known: EventType.allCases.map(\.rawValue))
        case .status: .name(known: EventStatus.allCases.map(\.rawValue))
        case .watchdog: .name(known: WatchdogName.allCases.map(\.rawValue))
        case .assetType: .name(known: AssetType.allCases.map(\.rawValue))
        case .assetMarket: .name(known: Market.allCases.map(\.rawValue))
        case .eventID, .fingerprint, .asset, .assetSymbol, .assetName, .assetExchange, .assetCurrency,
            .assetPair,
            .assets, .description, .evidence, .evidenceRule, .evidenceOperator, .evidenceThreshold,
            .evidenceObserved, .evidenceWindowSeconds:
            .plain
        }
    }

    /// The value in an event; `null` where the event lacks it.
    func value(in matchable: MatchableEvent) -> JSONValue {
        let event = matchable.event
        return switch self {
        case .eventID: .string(event.eventID)
        case .type: .string(event.type.rawValue)
        case .severity: .integer(Int64(event.severity.rank))
        case .status: .string(event.status.rawValue)
        case .fingerprint: .string(event.fingerprint)
        case .watchdog: .string(event.watchdog.rawValue)
        case .asset: event.asset == nil ? .null : .object([:])
        case .assetSymbol: Self.text(event.asset?.symbol)
        case .assetName: Self.text(event.asset?.name)
        case .assetType: Self.text(event.asset?.assetType.rawValue)
        case .assetMarket: Self.text(event.asset?.market.rawValue)
        case .assetExchange: Self.text(event.asset?.exchange)
        case .assetCurrency: Self.text(event.asset?.currency)
        case .assetPair: Self.text(event.asset?.pair)
        case .assets: matchable.assets
        case .description: .string(event.description)
        case .evidence: event.evidence == nil ? .null : .object([:])
        case .evidenceRule: Self.text(event.evidence?.rule)
        case .evidenceOperator: Self.text(event.evidence?.operator)
        case .evidenceThreshold: event.evidence.map { .number($0.threshold) } ?? .null
        case .evidenceObserved: event.evidence.map { .number($0.observed) } ?? .null
        case .evidenceWindowSeconds: event.evidence?.windowSeconds.map(JSONValue.integer) ?? .null
        case .timestamp: .integer(event.timestamp.milliseconds)
        case .startsAt: .integer(event.startsAt.milliseconds)
        case .endsAt: event.endsAt.map { .integer($0.milliseconds) } ?? .null
        }
    }

    private static func text(_ text: String?) -> JSONValue {
        text.map(JSONValue.string) ?? .null
    }
}

/// The place in an event that a comparison looks at.
enum EventPath: Sendable {
    case field(EventField)
    /// Names to follow through the objects within `data`.
    case data([String])
    /// Names to follow through the objects within `metadata`.
    case metadata([String])

    /// nil where no event has such a place.
    init?(_ text: String) {
        if let field = EventField(rawValue: text) {
            self = .field(field)
            return
        }
        let names = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard names.count > 1, names.allSatisfy({ !$0.isEmpty }) else { return nil }
        switch names[0] {
        case "data": self = .data(Array(names[1...]))
        case "metadata": self = .metadata(Array(names[1...]))
        default: return nil
        }
    }

    /// What an error offers instead of an unknown path.
    static let known = EventField.allCases.map(\.rawValue) + ["data.<name>", "metadata.<name>"]

    /// The value in an event; `null` where the event lacks it.
    func value(in event: MatchableEvent) -> JSONValue {
        switch self {
        case .field(let field): field.value(in: event)
        case .data(let names): Self.follow(names, through: event.event.data)
        case .metadata(let names): Self.follow(names, through: event.event.metadata)
        }
    }

    private static func follow(_ names: [String], through members: [String: JSONValue]) -> JSONValue {
        guard var value = members[names[0]] else { return .null }
        for name in names.dropFirst() {
            guard let next = value[name] else { return .null }
            value = next
        }
        return value
    }
}
