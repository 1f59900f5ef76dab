import Broadcast
import FIMLCore
import Testing

@testable import EventStore

@Suite("The newest events stand ready in memory, beside what fires")
struct EventTailTests {
    private func tail(_ capacity: Int, last: StreamPosition = .zero) -> EventTail {
        EventTail(capacity: capacity, earliest: .zero, last: last, firing: [])
    }

    private func publication(_ event: WatchdogEvent, _ position: StreamPosition) -> Publication {
        Publication(SubmittedEvent(event), at: position, publishedAt: 0)
    }

    @Test("Positions grow strictly, also within a millisecond and when the clock goes back")
    func positions() {
        var last = at(1000)
        let positions = ([1000, 1000, 1005, 900, 1006] as [Int64]).map { now in
            last = last.next(at: now)
            return last
        }
        #expect(positions.map(\.description) == ["1000-1", "1000-2", "1005-0", "1005-1", "1006-0"])
    }

    @Test("A message names its own position and carries the event's text")
    func message() throws {
        let value = try JSONValue.parse(publication(madeEvent(), at(1234)).message)
        #expect(value["type"] == "event" && value["position"] == "1234-0")
        #expect(value["event"]?["fingerprint"] == "0123456789abcdef")
    }

    @Test(
        "Reading agrees with a plain array, and says where the store must be read", arguments: [1, 2, 7, 100])
    func reading(capacity: Int) {
        var tail = tail(capacity)
        var all: [StreamPosition] = []
        for number in 1...50 as ClosedRange<UInt64> {
            all.append(at(number))
            tail.append(publication(madeEvent(), at(number)), stored: at(number))
            let kept = Array(all.suffix(capacity))
            #expect(tail.count == kept.count && tail.last == at(number))
            for start in [.zero] + all {
                for limit in [0, 1, 3, 1000] {
                    let isHere = start >= tail.begin
                    #expect(isHere == (start == all.dropLast(capacity).last ?? .zero || kept.contains(start)))
                    let expected = isHere ? Array(kept.filter { $0 > start }.prefix(limit)) : nil
                    #expect(tail.read(after: start, limit: limit)?.map(\.position) == expected)
                }
            }
        }
    }

    @Test("What is not stored yet stays in memory, beyond the capacity too")
    func unstored() {
        var tail = tail(2)
        for number in 1...10 as ClosedRange<UInt64> {
            tail.append(publication(madeEvent(), at(number)), stored: at(min(number, 3)))
        }
        #expect(tail.begin == at(3) && tail.count == 7)
        tail.shrink(stored: at(10))
        #expect(tail.begin == at(8) && tail.count == 2)
    }

    @Test("The last events of a filter begin after the position that is told")
    func last() {
        var tail = tail(6)
        let severities: [Severity] = [.low, .high, .low, .high, .low, .high, .low, .low]
        for (number, severity) in zip((1...) as PartialRangeFrom<UInt64>, severities) {
            tail.append(publication(madeEvent(severity: severity), at(number)), stored: at(number))
        }
        func position(_ count: Int, where isWanted: (Publication) -> Bool) -> StreamPosition? {
            var search = BackwardSearch(count)
            return tail.window.position(beforeLast: count, &search, where: isWanted)
        }
        let isHigh: (Publication) -> Bool = { $0.severity == .high }
        #expect(position(1, where: isHigh) == at(5))
        #expect(position(0, where: isHigh) == at(8))
        #expect(position(6, where: { _ in true }) == at(2))
        // Those before are in the store.
        #expect(position(9, where: isHigh) == nil)
        tail.trimmed(to: at(2))
        #expect(position(9, where: isHigh) == at(2))
        #expect(position(3, where: { $0.severity == .critical }) == at(8))
    }

    @Test("A condition fires from its first event to its resolution, told by its last event")
    func firing() {
        var tail = tail(10)
        func append(_ event: WatchdogEvent, _ number: UInt64) {
            tail.append(publication(event, at(number)), stored: at(number))
        }
        append(madeEvent(fingerprint: "a"), 1)
        append(madeEvent(fingerprint: "b"), 2)
        append(madeEvent(.updated, fingerprint: "a", severity: .critical), 3)
        #expect(Set(tail.firing.map(\.position)) == [at(2), at(3)])
        append(madeEvent(.resolved, fingerprint: "b"), 4)
        #expect(tail.firing.map(\.event.event.fingerprint) == ["a"])
    }
}
