import FIMLCore

/// What waits to be written to one connection, in order, and what is given up first when it does not keep up.
///
/// Over half of the limit, waiting events are shed, the lowest severity first and the oldest of it first,
/// until the queue is back at half; `critical` events and answers never are. A gap takes the place of the
/// first event shed, so that the consumer hears of a loss before it sees anything later. Over the whole
/// limit, the queue is full: the connection is to be closed.
///
/// A queue exists only while something waits, so an idle connection has none.
public final class SendQueue {
    private enum Entry {
        /// Bytes that are not shed: answers, heartbeats, `critical` events.
        case kept([UInt8])
        case event([UInt8], StreamPosition, Severity)
        /// Told when its turn comes, so that it can grow until then.
        case gap(Loss)
    }

    private var entries: [Entry] = []
    private var head = 0
    /// Bytes of the first entry that are written already.
    private var headOffset = 0
    private var waiting = (low: 0, medium: 0, high: 0)
    /// Bytes that may wait.
    public var limit: Int

    /// Bytes that wait; a gap counts nothing until its turn.
    public private(set) var byteCount = 0

    /// An empty queue that may hold so many bytes.
    public init(limit: Int) {
        self.limit = limit
    }

    /// Whether nothing waits.
    public var isEmpty: Bool { head == entries.count }

    /// Whether more than half of the limit waits: then events are shed.
    public var isOverHalf: Bool { byteCount > limit / 2 }

    /// Whether more than a quarter of the limit waits: no moment for what can wait elsewhere, such as a
    /// replay. Live events have as much again before they are shed.
    public var isOverQuarter: Bool { byteCount > limit / 4 }

    /// Whether more waits than the limit allows.
    public var isFull: Bool { byteCount > limit }

    /// Adds bytes that must arrive.
    public func append(_ bytes: [UInt8]) {
        entries.append(.kept(bytes))
        byteCount += bytes.count
    }

    /// Adds a frame of which so many bytes are on the wire already, to an empty queue: its rest must follow
    /// whatever happens, or the peer would take what comes next for a part of it.
    public func append(_ frame: [UInt8], writtenAlready: Int) {
        precondition(isEmpty && writtenAlready < frame.count)
        entries.append(.kept(frame))
        headOffset = writtenAlready
        byteCount += frame.count - writtenAlready
    }

    /// Adds an event's frame; the events that had to be shed for it, itself perhaps among them.
    public func append(_ frame: [UInt8], _ position: StreamPosition, _ severity: Severity) -> Loss? {
        if severity == .critical {
            append(frame)
        } else {
            entries.append(.event(frame, position, severity))
            byteCount += frame.count
            countWaiting(severity, 1)
        }
        guard isOverHalf else { return nil }
        return shed()
    }

    private func countWaiting(_ severity: Severity, _ change: Int) {
        switch severity {
        case .low: waiting.low += change
        case .medium: waiting.medium += change
        case .high: waiting.high += change
        case .critical: break
        }
    }

    private func shed() -> Loss? {
        var lost: Loss?
        for severity in [Severity.low, .medium, .high] where isOverHalf {
            let count =
                switch severity {
                case .low: waiting.low
                case .medium: waiting.medium
                case .high: waiting.high
                case .critical: 0
                }
            if count > 0 { shed(severity, &lost) }
        }
        return lost
    }

    /// Takes out the oldest events of one severity until the queue is back at half.
    private func shed(_ severity: Severity, _ lost: inout Loss?) {
        var kept: [Entry] = []
        kept.reserveCapacity(entries.count - head)
        /// Where the gap stands in `kept`; there is one at most.
        var gapPlace: Int?
        for (index, entry) in zip(head..., entries[head...]) {
            switch entry {
            case .event(let frame, let position, severity)
            where isOverHalf && !(index == head && headOffset > 0):
                byteCount -= frame.count
                countWaiting(severity, -1)
                if lost == nil { lost = Loss(position, severity) } else { lost?.add(position, severity) }
                note(position, severity, &kept, &gapPlace)
            case .gap(let loss):
                if let place = gapPlace, case .gap(var earlier) = kept[place] {
                    earlier.merge(loss)
                    kept[place] = .gap(earlier)
                } else {
                    gapPlace = kept.count
                    kept.append(entry)
                }
            case .kept, .event:
                kept.append(entry)
            }
        }
        entries = kept
        head = 0
    }

    private func note(
        _ position: StreamPosition, _ severity: Severity, _ kept: inout [Entry], _ gapPlace: inout Int?
    ) {
        if let place = gapPlace, case .gap(var loss) = kept[place] {
            loss.add(position, severity)
            kept[place] = .gap(loss)
        } else {
            gapPlace = kept.count
            kept.append(.gap(Loss(position, severity)))
        }
    }

    /// Copies from the front as much as fits; how many bytes. A gap is told as `frame` of it, and no sooner
    /// than it is first in line: until then it grows, so that a consumer which takes nothing has one gap
    /// waiting and not one for each turn.
    public func gather(into buffer: UnsafeMutableRawBufferPointer, _ frame: (Loss) -> [UInt8]) -> Int {
        var filled = 0
        var offset = headOffset
        gathering: for index in head..<entries.count {
            let bytes: [UInt8]
            switch entries[index] {
            case .kept(let kept):
                bytes = kept
            case .event(let event, _, _):
                bytes = event
            case .gap(let loss):
                guard index == head else { break gathering }
                bytes = frame(loss)
                entries[index] = .kept(bytes)
                byteCount += bytes.count
            }
            let count = min(bytes.count - offset, buffer.count - filled)
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + count])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + count]))
            }
            filled += count
            offset = 0
            if filled == buffer.count { break }
        }
        return filled
    }

    /// Forgets so many bytes from the front: they are written.
    public func consume(_ count: Int) {
        byteCount -= count
        var rest = count + headOffset
        headOffset = 0
        while head < entries.count, let size = writtenSize(entries[head]), size <= rest {
            if case .event(_, _, let severity) = entries[head] { countWaiting(severity, -1) }
            rest -= size
            head += 1
        }
        headOffset = rest
        if isEmpty {
            entries.removeAll()
            head = 0
        } else if head > 64, head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
    }

    /// Bytes of an entry on the wire; nil for a gap that was not gathered, of which nothing can be written.
    private func writtenSize(_ entry: Entry) -> Int? {
        switch entry {
        case .kept(let bytes), .event(let bytes, _, _): bytes.count
        case .gap: nil
        }
    }

    /// Gives up all that has not begun to be written, and puts `last` in its place.
    public func replaceAll(with last: [UInt8]) {
        var rest: [UInt8] = []
        if headOffset > 0, head < entries.count {
            switch entries[head] {
            case .kept(let bytes), .event(let bytes, _, _): rest = Array(bytes[headOffset...])
            case .gap: break
            }
        }
        entries = [.kept(rest + last)]
        head = 0
        headOffset = 0
        waiting = (0, 0, 0)
        byteCount = rest.count + last.count
    }
}
