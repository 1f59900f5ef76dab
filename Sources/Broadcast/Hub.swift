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

    private struct DistinctFilter {
        let filter: EventFilter
        /// Connections side by side, since a round reads nothing else of a subscriber. One that subscribed
        /// twice with equal filters stands here twice.
        var connections: [UInt32] = []
        /// The member that stands at the same place of `connections`.
        var members: [UInt32] = []
    }

    private var filters: [DistinctFilter?] = []
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
        let place = UInt32(filters[Int(index)]?.connections.count ?? 0)
        let member: UInt32
        if let free = freeMembers.popLast() {
            member = free
            members[Int(free)] = Member(connection: connection, place: place)
        } else {
            member = UInt32(members.count)
            members.append(Member(connection: connection, place: place))
        }
        filters[Int(index)]?.connections.append(connection)
        filters[Int(index)]?.members.append(member)
        return Subscription(filter: index, member: member)
    }

    private mutating func intern(_ filter: EventFilter) -> UInt32 {
        if let index = filterOf[filter] { return index }
        let index: UInt32
        if let free = freeFilters.popLast() {
            index = free
            filters[Int(free)] = DistinctFilter(filter: filter)
        } else {
            index = UInt32(filters.count)
            filters.append(DistinctFilter(filter: filter))
        }
        filterOf[filter] = index
        return index
    }

    /// Removes a subscription that `subscribe` returned, once. A filter that nobody wants any more is
    /// forgotten.
    public mutating func unsubscribe(_ subscription: Subscription) {
        let index = Int(subscription.filter)
        let place = Int(members[Int(subscription.member)].place)
        guard let lastMember = filters[index]?.members.last else { return }
        // The last of the list takes the place that becomes free.
        let lastConnection = members[Int(lastMember)].connection
        filters[index]?.connections[place] = lastConnection
        filters[index]?.members[place] = lastMember
        members[Int(lastMember)].place = UInt32(place)
        filters[index]?.connections.removeLast()
        filters[index]?.members.removeLast()
        freeMembers.append(subscription.member)
        guard let filter = filters[index], filter.connections.isEmpty else { return }
        filterOf[filter.filter] = nil
        filters[index] = nil
        freeFilters.append(subscription.filter)
    }

    /// The filter of a subscription.
    public func filter(of subscription: Subscription) -> EventFilter? {
        filters[Int(subscription.filter)]?.filter
    }

    /// Begins a round: finds who wants which of at most `roundCapacity` publications.
    public mutating func match(_ publications: ArraySlice<Publication>) {
        precondition(publications.count <= Self.roundCapacity)
        for index in filters.indices {
            guard let bits = filters[index]?.filter.bits(publications), bits != 0 else { continue }
            filters[index]?.connections.withUnsafeBufferPointer { connections in
                for connection in connections {
                    if wanted[Int(connection)] == 0 { touched.append(connection) }
                    wanted[Int(connection)] |= bits
                }
            }
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
