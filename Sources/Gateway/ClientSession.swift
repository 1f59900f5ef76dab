import Broadcast
import FIMLCore

/// What the gateway keeps of one client of the event stream.
final class ClientSession {
    struct Entry {
        let id: String
        /// In the hub; nil while stored events are replayed, since live ones come after them.
        var handle: Hub.Subscription?
        /// From this position on its events come live, in order with those of all others; nil while it is
        /// replayed.
        var liveSince: StreamPosition?
    }

    /// The session that it named.
    struct Named {
        let name: SessionName
        /// Whether what is kept is known by now; nothing else is answered before.
        var isAttached = false
        /// What it has asked meanwhile.
        var waiting: [[UInt8]] = []
        /// The furthest that it may have seen, here or elsewhere, beside what this loop has sent.
        var horizon = StreamPosition.zero
        /// How many subscriptions it has had on this connection.
        var begun = 0
        /// What the last heartbeats said since a subscription last began with stored events: up to there all
        /// of its subscriptions were complete.
        var heartbeats: [StreamPosition] = []
        /// What the last heartbeats said before that. Who confirms one of these may not have seen anything of
        /// that subscription.
        var earlierHeartbeats: [StreamPosition] = []
    }

    var subscriptions: [Entry] = []
    var allowance: RequestAllowance
    /// The replay of its whose turn it is: they come one after the other.
    var replaying: Int?
    /// Analyses that it is still to be told of, by the ids of their requests.
    var analyses: [RequestID?] = []
    /// Asked for by the query string, to be answered once the connection is open.
    var initial: ClientMessage.Subscribe?
    /// Named by the query string, as `initial`.
    var initialSession: ClientMessage.Session?
    /// Nil: what it does is kept nowhere.
    var named: Named?
    /// Whether it is told by server-sent events and not by a WebSocket.
    let isEventStream: Bool

    init(
        allowance: RequestAllowance, initial: ClientMessage.Subscribe?,
        session: ClientMessage.Session? = nil, isEventStream: Bool = false
    ) {
        self.allowance = allowance
        self.initial = initial
        initialSession = session
        self.isEventStream = isEventStream
    }

    /// An analysis has ended.
    func ended(_ id: RequestID?) {
        if let index = analyses.firstIndex(of: id) { analyses.remove(at: index) }
    }

    func index(of id: String) -> Int? {
        subscriptions.firstIndex { $0.id == id }
    }
}

/// How many requests a client may still make: a bucket of tokens that fills at a steady rate.
struct RequestAllowance {
    /// Refused requests in a row after which a client is not worth answering.
    static let patience: UInt8 = 100

    private let perSecond: Float
    private let burst: Float
    private var tokens: Float
    private var filledAt: UInt64
    private(set) var refusals: UInt8 = 0

    /// A full bucket. Times are milliseconds of a clock that only grows.
    init(perSecond: Int, burst: Int, now: UInt64) {
        self.perSecond = Float(perSecond)
        self.burst = Float(burst)
        tokens = Float(burst)
        filledAt = now
    }

    /// Takes a token: nil, or the milliseconds until there is one.
    mutating func take(now: UInt64) -> Int? {
        tokens = min(burst, tokens + Float(now - filledAt) / 1000 * perSecond)
        filledAt = now
        if tokens >= 1 {
            tokens -= 1
            refusals = 0
            return nil
        }
        refusals = min(refusals + 1, Self.patience)
        return Int(((1 - tokens) / perSecond * 1000).rounded(.up))
    }
}
