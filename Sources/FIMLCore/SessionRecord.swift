/// What is kept of a client that named a session: its subscriptions, and for each up to where the client has
/// confirmed that it has processed the stream.
///
/// A position moves by what the client confirms and by nothing else: what was written to a socket may never
/// have arrived. So coming back may repeat events, and loses none. Pure: times come in.
public struct SessionRecord: Hashable, Sendable {
    /// The bounds on what is kept.
    public enum Limits {
        /// Subscriptions of a session.
        public static let subscriptions = 64
        /// Bytes of its JSON text: 64 subscriptions of a kilobyte each.
        public static let bytes = 65_536
        /// Hours that a session may be asked to be kept unused: a year. The gateway's own limit is lower.
        public static let hours = 1...8784
    }

    /// A subscription that is kept.
    public struct Subscription: Hashable, Sendable {
        /// What the client calls it.
        public var subscriptionID: String
        /// Which events.
        public var filter: EventFilter
        /// Up to here the client needs nothing more.
        public var position: StreamPosition

        /// A subscription with every part given.
        public init(subscriptionID: String, filter: EventFilter, position: StreamPosition) {
            (self.subscriptionID, self.filter, self.position) = (subscriptionID, filter, position)
        }
    }

    /// Counts the connections that have had this session, over all nodes: who holds an older number has lost
    /// it.
    public var generation: Int64
    /// How long it is kept unused.
    public var ttlSeconds: Int64
    /// When the client was last known to be there, milliseconds since 1970.
    public var usedAt: Int64
    /// In the order in which they were made.
    public private(set) var subscriptions: [Subscription] = []

    /// A session without subscriptions.
    public init(generation: Int64, ttlSeconds: Int64, usedAt: Int64) {
        (self.generation, self.ttlSeconds, self.usedAt) = (generation, ttlSeconds, usedAt)
    }

    /// When it is forgotten if nobody comes back, milliseconds since 1970.
    public var expiresAt: Int64 {
        Timestamp(milliseconds: usedAt).adding(seconds: ttlSeconds).milliseconds
    }

    /// The earliest of its subscriptions' positions; nil where there are none.
    public var position: StreamPosition? {
        subscriptions.map(\.position).min()
    }

    /// What it takes in memory and in a store, roughly, in bytes.
    public var size: Int {
        subscriptions.reduce(160) { $0 + Self.size($1.subscriptionID, $1.filter) }
    }

    // Never less than the JSON text: 45 bytes of names and punctuation, at most 41 of position.
    private static func size(_ subscriptionID: String, _ filter: EventFilter) -> Int {
        subscriptionID.json.count + filter.json.count + 96
    }

    /// Takes up a subscription, in the place of one of the same id; the new one's position counts. False, and
    /// nothing changes, where the session has no room for it.
    public mutating func put(_ subscription: Subscription) -> Bool {
        let index = index(of: subscription.subscriptionID)
        let old = index.map { Self.size(subscriptions[$0].subscriptionID, subscriptions[$0].filter) } ?? 0
        let new = Self.size(subscription.subscriptionID, subscription.filter)
        guard size - old + new <= Limits.bytes else { return false }
        if let index {
            subscriptions[index] = subscription
            return true
        }
        guard subscriptions.count < Limits.subscriptions else { return false }
        subscriptions.append(subscription)
        return true
    }

    /// Gives a subscription another filter and leaves its position. False, and nothing changes, where there
    /// is none of that id or no room.
    public mutating func update(_ subscriptionID: String, _ filter: EventFilter) -> Bool {
        guard let index = index(of: subscriptionID) else { return false }
        var changed = subscriptions[index]
        changed.filter = filter
        return put(changed)
    }

    /// Ends a subscription; nothing where there is none of that id.
    public mutating func remove(_ subscriptionID: String) {
        subscriptions.removeAll { $0.subscriptionID == subscriptionID }
    }

    /// The client needs nothing more of a subscription up to `position`. One that it confirmed before is
    /// ignored. Whether anything changed.
    public mutating func confirm(_ subscriptionID: String, _ position: StreamPosition) -> Bool {
        guard let index = index(of: subscriptionID), subscriptions[index].position < position else {
            return false
        }
        subscriptions[index].position = position
        return true
    }

    /// The subscription of that id.
    public subscript(subscriptionID: String) -> Subscription? {
        index(of: subscriptionID).map { subscriptions[$0] }
    }

    private func index(of subscriptionID: String) -> Int? {
        subscriptions.firstIndex { $0.subscriptionID == subscriptionID }
    }
}
