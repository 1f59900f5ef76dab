/// Where an element sits in a `SlotTable`, and which of those that sat there it is.
public struct SlotToken: Hashable, Sendable {
    /// The index.
    public let slot: UInt32
    /// Counts who sat there, so that a late word about a former one finds nobody.
    public let generation: UInt32

    /// From its parts.
    @inlinable
    public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// From the number that epoll and timers carry.
    @inlinable
    public init(_ number: UInt64) {
        slot = UInt32(truncatingIfNeeded: number)
        generation = UInt32(truncatingIfNeeded: number >> 32)
    }

    /// For epoll and timers.
    @inlinable
    public var number: UInt64 {
        UInt64(generation) << 32 | UInt64(slot)
    }
}

/// Elements in numbered slots that are used again, each under a token that is never used again (2³² to one).
public struct SlotTable<Element> {
    @usableFromInline var elements: [Element?] = []
    @usableFromInline var generations: [UInt32] = []
    @usableFromInline var free: [UInt32] = []

    /// An empty table.
    @inlinable
    public init() {}

    /// Elements in it.
    @inlinable
    public var count: Int { elements.count - free.count }

    /// One more than the highest slot ever used.
    @inlinable
    public var capacity: Int { elements.count }

    /// Puts in the element that `make` builds for its own token.
    @inlinable
    public mutating func insert(_ make: (SlotToken) -> Element) -> SlotToken {
        let slot: UInt32
        if let last = free.popLast() {
            slot = last
        } else {
            slot = UInt32(elements.count)
            elements.append(nil)
            generations.append(0)
        }
        let token = SlotToken(slot: slot, generation: generations[Int(slot)])
        elements[Int(slot)] = make(token)
        return token
    }

    /// The element of that token, if it is still there.
    @inlinable
    public subscript(token: SlotToken) -> Element? {
        let slot = Int(token.slot)
        guard slot < elements.count, generations[slot] == token.generation else { return nil }
        return elements[slot]
    }

    /// The element in a slot, whoever it is.
    @inlinable
    public subscript(slot slot: UInt32) -> Element? {
        elements[Int(slot)]
    }

    /// Takes the element of that token out.
    @discardableResult @inlinable
    public mutating func remove(_ token: SlotToken) -> Element? {
        let slot = Int(token.slot)
        guard slot < elements.count, generations[slot] == token.generation, let element = elements[slot]
        else {
            return nil
        }
        elements[slot] = nil
        generations[slot] &+= 1
        free.append(token.slot)
        return element
    }

    /// Calls `body` with each element, in the order of slots.
    @inlinable
    public func forEach(_ body: (Element) -> Void) {
        for case .some(let element) in elements { body(element) }
    }
}
