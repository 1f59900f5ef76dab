import FIMLCore

/// Looks at a market again and again and says what is out of the ordinary.
///
/// A watchdog judges; it keeps no memory of what it said before. `EventStream` turns judgements into events.
public protocol Watchdog: Sendable {
    /// The name that settings, metrics and events use.
    var name: WatchdogName { get }

    /// Whether it runs, and how often.
    var schedule: WatchdogSchedule { get }

    /// What it judges in each check, by `Judgement.subject`; conditions of other subjects end when it takes
    /// the place of another watchdog. Nil where that is not known beforehand.
    var subjects: Set<String>? { get }

    /// How many seconds of checks it needs before it can judge anything; 0 for most.
    var warmUpSeconds: Int64 { get }

    /// Whether there should be figures at a moment: not of shares while their market is closed.
    func expectsFigures(at moment: Timestamp) -> Bool

    /// Judges every asset that it can at a moment of the market's time: those that are as they should be too,
    /// so that a condition can end. An asset whose figures are missing or stale is left out. Throws when
    /// nothing could be judged because sources failed.
    func check(at moment: Timestamp) async throws -> [Judgement]
}

extension Watchdog {
    /// Not known.
    public var subjects: Set<String>? { nil }

    /// It can judge at once.
    public var warmUpSeconds: Int64 { 0 }

    /// Always.
    public func expectsFigures(at moment: Timestamp) -> Bool { true }
}

/// Whether and how often a watchdog runs.
public struct WatchdogSchedule: Hashable, Sendable {
    /// Off: it is never checked and its status is `disabled`.
    public var isEnabled: Bool
    /// Seconds of the market's time from one check to the next; at least 1.
    public var intervalSeconds: Int64

    /// A schedule; an interval below 1 counts as 1.
    public init(isEnabled: Bool = true, intervalSeconds: Int64) {
        self.isEnabled = isEnabled
        self.intervalSeconds = max(1, intervalSeconds)
    }

    /// A schedule as it is set; parts of a second are cut off.
    public init(isEnabled: Bool, interval: Duration) {
        self.init(isEnabled: isEnabled, intervalSeconds: interval.components.seconds)
    }
}

/// What a watchdog found about one asset, or about several that it judges together.
public struct Judgement: Hashable, Sendable {
    /// What it is about, told apart from everything else that the watchdog judges: `BTC`, `BTC/SPY`,
    /// `binance`, the hash of a transfer.
    public var subject: String
    /// The assets that it is about; none for the whole market. The first is the `asset` of its events.
    public var assets: [Asset]
    /// From when the newest figure is that was judged. Judging the same figure twice changes nothing.
    public var observedAt: Timestamp
    /// What is wrong; nil when all is as it should be.
    public var anomaly: Anomaly?
    /// Tells conditions of one subject apart, as `up` and `down` do for a price; may be empty. It says on
    /// which side the figure lies, also when nothing is wrong.
    public var discriminator: String
    /// For something that happened once and will not be judged again, as a transfer: its condition ends by
    /// itself after so many seconds of the market's time. Nil for what is judged in each check.
    public var endsAfterSeconds: Int64?
    /// One sentence for people.
    public var description: String
    /// The figures, by FIML's keys.
    public var data: [String: JSONValue]
    /// The rule and what was seen.
    public var evidence: Evidence

    /// A judgement; what is judged in each check unless `endsAfterSeconds` is given.
    public init(
        subject: String, assets: [Asset], observedAt: Timestamp, anomaly: Anomaly?,
        discriminator: String = "", endsAfterSeconds: Int64? = nil, description: String,
        data: [String: JSONValue], evidence: Evidence
    ) {
        self.subject = subject
        self.discriminator = discriminator
        self.endsAfterSeconds = endsAfterSeconds
        self.assets = assets
        self.observedAt = observedAt
        self.anomaly = anomaly
        self.description = description
        self.data = data
        self.evidence = evidence
    }
}

/// That something is wrong, and what kind of thing.
public struct Anomaly: Hashable, Sendable {
    /// The type of its events.
    public var type: EventType
    /// How much it matters.
    public var severity: Severity

    /// An anomaly of both.
    public init(type: EventType, severity: Severity) {
        self.type = type
        self.severity = severity
    }
}
