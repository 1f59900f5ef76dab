import Broadcast
import FIMLCore
import LinuxSystem

extension Publication {
    /// An event that has just been given its position.
    convenience init(_ event: SubmittedEvent, at position: StreamPosition, publishedAt: UInt64) {
        self.init(
            position: position, event: MatchableEvent(event.event), severity: event.event.severity,
            publishedAt: publishedAt, message: ServerMessage.event(position: position, json: event.json))
    }

    /// An event as it was stored; nil for what is none, as somebody else may have put into a shared store.
    convenience init?(_ stored: StoredEvent) {
        let storedAt = Timestamp(milliseconds: Int64(clamping: stored.position.milliseconds))
        guard
            let event = WatchdogEvent.parse(
                stored.json, receivedAt: storedAt, newEventID: { "evt_\(stored.position)" })
        else { return nil }
        self.init(
            position: stored.position, event: MatchableEvent(event), severity: event.severity,
            publishedAt: monotonicNanoseconds(),
            message: ServerMessage.event(position: stored.position, json: stored.json))
    }
}

extension StreamPosition {
    /// The position after this one at that moment, milliseconds since 1970; a clock that goes back does not
    /// take positions along.
    public func next(at now: Int64) -> StreamPosition {
        let now = UInt64(clamping: now)
        return now > milliseconds
            ? StreamPosition(milliseconds: now, sequence: 0)
            : StreamPosition(milliseconds: milliseconds, sequence: sequence + 1)
    }
}

extension ArraySlice {
    /// The first index whose position lies after one; positions grow with the index, so it is found by
    /// halving.
    func firstIndex(after position: StreamPosition, _ positionOf: (Element) -> StreamPosition) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if positionOf(self[middle]) > position { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
