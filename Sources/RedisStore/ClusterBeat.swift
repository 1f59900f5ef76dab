import FIMLCore

/// What a node learns by its beat.
public struct ClusterBeat: Sendable {
    /// A node that beat in time.
    public struct Member: Hashable, Sendable {
        /// Its name.
        public let node: String
        /// What it told of itself with its last beat.
        public let record: [UInt8]
        /// How long ago that was.
        public let ageMilliseconds: Int
    }

    /// A lease that was asked for, or about.
    public struct Lease: Hashable, Sendable {
        /// The node that holds it; nil where nobody does.
        public let holder: String?
        /// The holder's token, greater than all before; 0 where nobody holds it.
        public let token: Int64
        /// Whether this process holds it.
        public let isHeld: Bool
        /// For how long it does, counted from the moment before the beat was sent, by the holder's own
        /// monotonic clock: what it does under it ends before that. 0 where it does not hold it.
        public let grantedForMilliseconds: Int
    }

    /// Milliseconds since 1970 by the server's clock, which is the same for all nodes.
    public let now: Int64
    /// All nodes that live, this one among them, by their names.
    public let members: [Member]
    /// The leases by the names they were asked by.
    public let leases: [String: Lease]

    /// Reads the script's answer; nil for another.
    init?(_ reply: RedisReply, names: [String]) {
        let parts = reply.elements
        guard parts.count == 3, let now = parts[0].number else { return nil }
        self.now = now
        let listed = parts[1].elements
        members = stride(from: 0, to: listed.count - 2, by: 3).compactMap { at in
            guard let node = listed[at].text, let age = listed[at + 2].number else { return nil }
            return Member(node: node, record: listed[at + 1].data ?? [], ageMilliseconds: Int(clamping: age))
        }.sorted { $0.node < $1.node }
        let found = parts[2].elements
        guard found.count == names.count * 4 else { return nil }
        var leases: [String: Lease] = [:]
        for (index, name) in names.enumerated() {
            let holder = found[index * 4].text ?? ""
            let isHeld = found[index * 4 + 2].number == 1
            leases[name] = Lease(
                holder: holder.isEmpty ? nil : holder, token: found[index * 4 + 1].number ?? 0,
                isHeld: isHeld,
                grantedForMilliseconds: isHeld ? Int(clamping: found[index * 4 + 3].number ?? 0) : 0)
        }
        self.leases = leases
    }
}

/// What a node has told all others.
public struct ClusterNotice: Hashable, Sendable {
    /// Its place among all notices.
    public let position: StreamPosition
    /// The node that told it.
    public let node: String
    /// What it told.
    public let bytes: [UInt8]
}
