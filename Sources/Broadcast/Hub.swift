import FIMLCore

/// Who wants what, on one loop: distinct filters, each with its subscribers. Knows no socket; a connection is
/// the number of its slot.
///
/// Equal filters are one. A round matches each publication once per distinct filter, and notes for each
/// connection that wants any of them a set of bits, one a publication; the transport then writes once per
/// connection.
public struct Hub {
    /// Publications in one round: one bit of `wanted` each.
    public static let roundCapacity = UInt64.bitWidth

    /// Names a subscription until it is removed.
    public struct Subscription: Hashable, Sendable {
        fileprivate let filter: UInt32
        fileprivate let member: UInt32
    }

    private struct Member {
        var connection: UInt32
        /// Where the filter's list holds this member.
        var place: UInt32
    }

    /// Who wants what one filter passes.
    private struct Audience {
        /// Connections side by side, since a round reads nothing else of a subscriber. One that subscribed
        /// twice with equal filters stands here twice.
        var connections: [UInt32] = []
        /// The member that stands at the same place of `connections`.
        var members: [UInt32] = []
    }

    /// The distinct filters side by side, since a round looks at each of them and at few audiences. One that
    /// is free has an empty audience.
    private var filters: [EventFilter] = []
    private var audiences: [Audience] = []
    private var freeFilters: [UInt32] = []
    private var filterOf: [EventFilter: UInt32] = [:]
    private var members: [Member] = []
    private var freeMembers: [UInt32] = []
    private var wanted: [UInt64] = []

    /// Connections that want something of this round, in the order in which they were found.
    public private(set) var touched: [UInt32] = []

    /// A hub without subscribers.
    public init() {}

    /// Subscriptions in all.
    public var subscriptionCount: Int { members.count - freeMembers.count }

    /// Filters that differ.
    public var distinctFilterCount: Int { filterOf.count }

    /// Adds a subscription of the connection in that slot.
    public mutating func subscribe(_ connection: UInt32, _ filter: EventFilter) -> Subscription {
        if wanted.count <= Int(connection) {
            wanted.append(contentsOf: repeatElement(0, count: Int(connection) + 1 - wanted.count))
        }
        let index = intern(filter)
        let place = UInt32(audiences[Int(index)].connections.count)
        let member: UInt32
        if let free = freeMembers.popLast() {
            member = free
            members[Int(free)] = Member(connection: connection, place: place)
        } else {
            member = UInt32(members.count)
            members.append(Member(connection: connection, place: place))
        }
        audiences[Int(index)].connections.append(connection)
        audiences[Int(index)].members.append(member)
        return Subscription(filter: index, member: member)
    }

    private mutating func intern(_ filter: EventFilter) -> UInt32 {
        if let index = filterOf[filter] { return index }
        let index: UInt32
        if let free = freeFilters.popLast() {
            index = free
            filters[Int(free)] = filter
        } else {
            index = UInt32(filters.count)
            filters.append(filter)
            audiences.append(Audience())
        }
        filterOf[filter] = index
        return index
    }

    /// Removes a subscription that `subscribe` returned, once. A filter that nobody wants any more is
    /// forgotten.
    public mutating func unsubscribe(_ subscription: Subscription) {
        let index = Int(subscription.filter)
        let place = Int(members[Int(subscription.member)].place)
        guard let lastMember = audiences[index].members.last else { return }
        // The last of the list takes the place that becomes free.
        let lastConnection = members[Int(lastMember)].connection
        audiences[index].connections[place] = lastConnection
        audiences[index].members[place] = lastMember
        members[Int(lastMember)].place = UInt32(place)
        audiences[index].connections.removeLast()
        audiences[index].members.removeLast()
        freeMembers.append(subscription.member)
        guard audiences[index].connections.isEmpty else { return }
        filterOf[filters[index]] = nil
        filters[index] = .everything
        freeFilters.append(subscription.filter)
    }

    /// The filter of a subscription.
    public func filter(of subscription: Subscription) -> EventFilter {
        filters[Int(subscription.filter)]
    }

    /// Begins a round: finds who wants which of at most `roundCapacity` publications.
    public mutating func match(_ publications: ArraySlice<Publication>) {
        precondition(publications.count <= Self.roundCapacity)
        // Read in place: taking a filter out of the array would count references to all that it holds.
        let filters = filters
        filters.withUnsafeBufferPointer { filters in
            for index in filters.indices where !audiences[index].connections.isEmpty {
                let bits = filters[index].bits(publications)
                if bits != 0 { note(bits, audiences[index].connections) }
            }
        }
    }

    private mutating func note(_ bits: UInt64, _ connections: [UInt32]) {
        for connection in connections {
            if wanted[Int(connection)] == 0 { touched.append(connection) }
            wanted[Int(connection)] |= bits
        }
    }

    /// The publications that a touched connection wants, as bits in their order.
    public func wanted(by connection: UInt32) -> UInt64 {
        wanted[Int(connection)]
    }

    /// Ends the round.
    public mutating func endRound() {
        for connection in touched { wanted[Int(connection)] = 0 }
        touched.removeAll(keepingCapacity: true)
    }
}

extension EventFilter {
    fileprivate func bits(_ publications: ArraySlice<Publication>) -> UInt64 {
        var bits: UInt64 = 0
        var bit: UInt64 = 1
        for publication in publications {
            if matches(publication.event) { bits |= bit }
            bit <<= 1
        }
        return bits
    }
}
