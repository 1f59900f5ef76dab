/// Where an event stands in the life of its condition.
public enum EventStatus: String, CaseIterable, JSONWritable, Sendable {
    case firing, updated, resolved
}

/// Something that a watchdog saw, as FIML names its parts.
public struct WatchdogEvent: Hashable, Sendable {
    /// Unique: `evt_` and a UUID.
    public var eventID: String
    /// What happened.
    public var type: EventType
    /// How much it matters.
    public var severity: Severity
    /// Where it stands in the life of its condition.
    public var status: EventStatus
    /// Names the condition: 16 hexadecimal digits, the same from `firing` to `resolved`.
    public var fingerprint: String
    /// Who saw it.
    public var watchdog: WatchdogName
    /// What it is about; nil for the whole market.
    public var asset: Asset?
    /// The symbols of all assets it is about; holds that of `asset`.
    public var assets: [String]
    /// One sentence for people.
    public var description: String
    /// The figures, by FIML's keys.
    public var data: [String: JSONValue]
    /// Why it fired; nil for events from outside that do not say.
    public var evidence: Evidence?
    /// When it was seen, in the time of the market it was seen in.
    public var timestamp: Timestamp
    /// When the condition began.
    public var startsAt: Timestamp
    /// When the condition ended; nil while it lasts.
    public var endsAt: Timestamp?
    /// Anything else.
    public var metadata: [String: JSONValue]

    /// An event with every part given.
    public init(
        eventID: String, type: EventType, severity: Severity, status: EventStatus = .firing,
        fingerprint: String,
        watchdog: WatchdogName, asset: Asset?, assets: [String], description: String,
        data: [String: JSONValue] = [:], evidence: Evidence? = nil, timestamp: Timestamp, startsAt: Timestamp,
        endsAt: Timestamp? = nil, metadata: [String: JSONValue] = [:]
    ) {
        self.eventID = eventID
        self.type = type
        self.severity = severity
        self.status = status
        self.fingerprint = fingerprint
        self.watchdog = watchdog
        self.asset = asset
        self.assets = assets
        self.description = description
        self.data = data
        self.evidence = evidence
        self.timestamp = timestamp
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.metadata = metadata
    }
}
