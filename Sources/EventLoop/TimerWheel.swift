/// Deadlines of many owners in one wheel of slots (Varghese and Lauck): adding is an append, a turn looks
/// only at the slots that have passed.
///
/// There is no cancelling. An owner has one entry at a time, asks for its earliest deadline, and when the
/// entry comes up decides anew; an entry of an owner that is gone carries a token that finds nobody.
public struct TimerWheel: Sendable {
    /// Milliseconds a slot stands for, and so how late an entry may come up.
    public static let resolution: UInt64 = 50
    private static let slotCount: UInt64 = 1024

    private var slots: [[UInt64]]
    /// The first slot time that has not been looked at.
    private var cursor: UInt64
    /// Entries that wait.
    public private(set) var count = 0

    /// An empty wheel that begins at a time in milliseconds.
    public init(now: UInt64) {
        slots = Array(repeating: [], count: Int(Self.slotCount))
        cursor = now / Self.resolution
    }

    /// Adds an entry. One further away than the wheel reaches (51 s) comes up at its rim: the owner then adds
    /// it again.
    public mutating func add(_ token: UInt64, at deadline: UInt64) {
        let due = (deadline + Self.resolution - 1) / Self.resolution
        let slot = min(max(due, cursor), cursor + Self.slotCount - 1)
        slots[Int(slot % Self.slotCount)].append(token)
        count += 1
    }

    /// Takes out all entries whose slot has passed by `now`, in the order of their slots.
    public mutating func advance(to now: UInt64, into expired: inout [UInt64]) {
        let end = now / Self.resolution
        guard end >= cursor else { return }
        let last = min(end, cursor + Self.slotCount - 1)
        for time in cursor...last {
            let slot = Int(time % Self.slotCount)
            guard !slots[slot].isEmpty else { continue }
            count -= slots[slot].count
            expired.append(contentsOf: slots[slot])
            slots[slot].removeAll(keepingCapacity: slots[slot].count <= 64)
        }
        cursor = end + 1
    }

    /// Milliseconds until the next slot with an entry may pass; nil where the wheel is empty.
    public func wait(from now: UInt64) -> UInt64? {
        guard count > 0 else { return nil }
        for time in cursor..<cursor + Self.slotCount where !slots[Int(time % Self.slotCount)].isEmpty {
            let due = time * Self.resolution
            return due > now ? due - now : 0
        }
        return Self.resolution
    }
}
