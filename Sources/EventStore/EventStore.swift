import FIMLCore

/// The event stream where it is kept: it assigns positions, in one order, and gives back what it has.
///
/// All calls block. `EventJournal` makes them from threads of its own: one appends and trims, others read.
public protocol EventStore: Sendable {
    /// What health and metrics call it: `memory`, `sqlite` or `redis`.
    var kind: String { get }

    /// What is there. Called before anything else, and again by the thread that appends after a store was
    /// `unusable`; positions go on growing from `last`, over restarts too. `now`:
    /// milliseconds since 1970, where an empty stream begins.
    func open(now: Int64) throws(StoreError) -> StoreContents

    /// Appends all of the submissions, in their order, and returns only once that is as durable as it will
    /// be. Each is taken whole or, where its fence has fallen, not at all. After an error none was taken, or,
    /// where the store's answer was lost, all may have been.
    func append(_ submissions: [Submission], now: Int64) throws(StoreError) -> [Appended]

    /// The next events after a position, oldest first, at most `limit`. May be called from several threads.
    func read(after position: StreamPosition, limit: Int) throws(StoreError) -> StoredPage

    /// The last events before a position, newest first, at most `limit`. May be called from several threads.
    func read(before position: StreamPosition, limit: Int) throws(StoreError) -> [StoredEvent]

    /// Lets go of all but the newest `count` events, and of those stored before `moment` (milliseconds since
    /// 1970), at most some thousand at a time; the earliest position that can be read after then, and how
    /// many events there are.
    func trim(toNewest count: Int, storedSince moment: Int64?) throws(StoreError) -> (
        earliest: StreamPosition, count: Int
    )

    /// Ends it in order.
    func close()
}

/// A store that other gateways append to as well.
public protocol SharedEventStore: EventStore {
    /// How many entries `follow` has left out, since they are no events.
    var unreadableEntries: Int { get }

    /// Waits for events after a position, at most `milliseconds`; those that came, oldest first, at most
    /// `limit`. Called by one thread only, beside all other calls.
    ///
    /// Where the store has lost events that this process has seen (emptied, restored from an older copy), the
    /// page is broken: nobody can go on from before its `earliest`.
    func follow(
        after position: StreamPosition, limit: Int, milliseconds: Int
    ) throws(StoreError) -> StoredPage

    /// What fires and what is kept by name, as of now.
    func contents() throws(StoreError) -> StoreContents

    /// Lists conditions as firing, with the last event of each, as this process still knows them after
    /// `follow` has told a loss, and puts back what was kept by name. Nothing older replaces what is there,
    /// and nothing of `states` anything at all.
    func restoreFiring(_ events: [StoredEvent], states: [String: [UInt8]]) throws(StoreError)
}

/// What a store holds.
public struct StoreContents: Sendable {
    /// Conditions that may be firing at once; one more is not listed among them (its events are stored and
    /// told all the same).
    public static let firingLimit = 10_000

    /// Everything after this position is there.
    public var earliest: StreamPosition
    /// The newest position that was assigned; `earliest` where nothing is stored.
    public var last: StreamPosition
    /// How many events are stored.
    public var count: Int
    /// The last event of each condition that fires, in the order of their positions.
    public var firing: [StoredEvent]
    /// What was kept with events, by name.
    public var states: [String: [UInt8]]

    /// Contents with every part given.
    public init(
        earliest: StreamPosition, last: StreamPosition, count: Int, firing: [StoredEvent],
        states: [String: [UInt8]]
    ) {
        self.earliest = earliest
        self.last = last
        self.count = count
        self.firing = firing
        self.states = states
    }
}

/// An event as it is stored.
public struct StoredEvent: Hashable, Sendable {
    /// Its place in the stream.
    public let position: StreamPosition
    /// The event, JSON of the public protocol.
    public let json: [UInt8]

    /// An event at a position.
    public init(position: StreamPosition, json: [UInt8]) {
        self.position = position
        self.json = json
    }
}

/// Events that follow each other.
public struct StoredPage: Sendable {
    /// Everything after this position was there at that moment: a reader that comes from before it has
    /// missed something.
    public var earliest: StreamPosition
    /// Oldest first.
    public var events: [StoredEvent]
    /// Up to where the stream was looked through, where what lies behind the last of the events is none.
    public var end: StreamPosition?
    /// Whether the store has lost events that this process has seen: the stream goes on after `earliest`.
    public var isBroken = false

    /// A page.
    public init(earliest: StreamPosition, events: [StoredEvent], end: StreamPosition? = nil) {
        self.earliest = earliest
        self.events = events
        self.end = end
    }
}

/// A local store that can be told what was broadcast without it.
public protocol LocalEventStore: EventStore {
    /// Sentences for the log that came up since the last call: what was set aside, where nobody can go on.
    func takeNotices() -> [String]

    /// To be called before events are told that are not stored, with the position of the last of them; on
    /// disk once it returns. Positions that are assigned afterwards lie after it. Where the process ends
    /// before `clearUnstored`, the next `open` lets nobody go on from there or from before.
    func markUnstored(upTo position: StreamPosition) throws(StoreError)

    /// All that was told is stored.
    func clearUnstored() throws(StoreError)

    /// Stores events at the positions at which they have been told, after all that is stored, and what is
    /// kept by name. Writes in any case, with no events too, so that it fails where `append` would.
    func append(told events: [ToldEvent], states: [String: [UInt8]]) throws(StoreError)
}

/// An event that was broadcast before it was stored.
public struct ToldEvent: Sendable {
    /// The place that it was told to have.
    public let position: StreamPosition
    /// The event.
    public let event: SubmittedEvent

    /// An event at a position.
    public init(position: StreamPosition, event: SubmittedEvent) {
        self.position = position
        self.event = event
    }
}

/// An event and its text, which is made once: the store keeps it, and messages carry it.
public struct SubmittedEvent: Hashable, Sendable {
    /// The event.
    public let event: WatchdogEvent
    /// JSON of the public protocol.
    public let json: [UInt8]

    /// Writes the text.
    public init(_ event: WatchdogEvent) {
        self.event = event
        json = event.json
    }
}

/// Events that are stored together or not at all, and what is kept by name with them.
public struct Submission: Sendable {
    /// In the order in which they are to stand in the stream; may be empty where only states change.
    public var events: [SubmittedEvent]
    /// What is kept with them, by name; it replaces what was there. At most some MB each.
    public var states: [String: [UInt8]]
    /// The lease under which it is made; a shared store takes it only while that is held.
    public var fence: Fence?

    /// A submission.
    public init(events: [WatchdogEvent], states: [String: [UInt8]] = [:], fence: Fence? = nil) {
        self.events = events.map(SubmittedEvent.init)
        self.states = states
        self.fence = fence
    }
}

/// Names a lease as it was given: each holder gets a token greater than all before.
public struct Fence: Hashable, Sendable {
    /// What is leased: `watchdog:price_anomaly`.
    public let lease: String
    /// The holder's token.
    public let token: Int64

    /// A fence.
    public init(lease: String, token: Int64) {
        self.lease = lease
        self.token = token
    }
}

/// What became of a submission.
public enum Appended: Hashable, Sendable {
    /// Where its events stand.
    case stored([StreamPosition])
    /// Somebody else holds the lease by now; nothing was taken.
    case fenced

    /// Where its events stand; nowhere where nothing was taken.
    var positions: [StreamPosition] {
        switch self {
        case .stored(let positions): positions
        case .fenced: []
        }
    }
}
