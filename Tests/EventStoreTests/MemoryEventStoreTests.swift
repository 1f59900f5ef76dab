import Broadcast
import FIMLCore
import Testing

@testable import EventStore

@Suite("The store orders events, keeps the last of them, and knows what fires")
struct MemoryEventStoreTests {
    private func event(
        _ status: EventStatus = .firing, fingerprint: String = "0123456789abcdef", severity: Severity = .high
    ) -> WatchdogEvent {
        let time = Timestamp(milliseconds: 0)
        return WatchdogEvent(
            eventID: "evt_1", type: .priceAnomaly, severity: severity, status: status,
            fingerprint: fingerprint,
            watchdog: .priceAnomaly, asset: nil, assets: [], description: "", timestamp: time, startsAt: time)
    }

    private func append(_ store: inout MemoryEventStore, _ event: WatchdogEvent, now: Int64) -> StreamPosition
    {
        store.append(event, now: now, publishedAt: 0).position
    }

    @Test("Positions grow strictly, also within a millisecond and when the clock goes back")
    func positions() {
        var store = MemoryEventStore(capacity: 10, now: 1000)
        #expect(store.last.description == "1000-0" && store.earliest == store.last)
        let positions = [1000, 1000, 1005, 900, 1006].map { append(&store, event(), now: $0) }
        #expect(positions.map(\.description) == ["1000-1", "1000-2", "1005-0", "1005-1", "1006-0"])
    }

    @Test("A message names its own position")
    func message() throws {
        var store = MemoryEventStore(capacity: 10, now: 1000)
        let publication = store.append(event(), now: 1234, publishedAt: 0)
        let value = try JSONValue.parse(publication.message)
        #expect(value["type"] == "event" && value["position"] == "1234-0")
    }

    @Test("Reading agrees with a plain array, also after the oldest are gone", arguments: [1, 2, 7, 100])
    func reading(capacity: Int) {
        var store = MemoryEventStore(capacity: capacity, now: 0)
        var all: [StreamPosition] = []
        for number in 0..<50 as Range<Int64> {
            all.append(append(&store, event(), now: number / 3))
            let kept = Array(all.suffix(capacity))
            #expect(store.count == kept.count)
            let gone = all.count - kept.count
            #expect(
                store.earliest == (gone > 0 ? all[gone - 1] : StreamPosition(milliseconds: 0, sequence: 0)))
            for start in [.zero, store.earliest] + kept {
                for limit in [0, 1, 3, 1000] {
                    let expected = kept.filter { $0 > start }.prefix(limit)
                    #expect(store.read(after: start, limit: limit).map(\.position) == Array(expected))
                }
            }
        }
    }

    @Test("What fired before a restart is listed as firing, is read by nobody, and ends as anything else")
    func restore() {
        var store = MemoryEventStore(capacity: 10, now: 1000)
        store.restore(event(fingerprint: "a"))
        #expect(store.firing.map(\.event.event.fingerprint) == ["a"])
        #expect(store.firing.map(\.position) == [store.last])
        #expect(store.count == 0 && store.read(after: .zero, limit: 10).isEmpty)
        _ = append(&store, event(.resolved, fingerprint: "a"), now: 1001)
        #expect(store.firing.isEmpty && store.count == 1)
    }

    @Test("The last events of a filter begin after the position that is told")
    func last() {
        var store = MemoryEventStore(capacity: 6, now: 0)
        let severities: [Severity] = [.low, .high, .low, .high, .low, .high, .low, .low]
        let positions = zip(1..., severities).map { append(&store, event(severity: $1), now: $0) }
        let isHigh: (Publication) -> Bool = { $0.severity == .high }
        #expect(store.position(beforeLast: 1, where: isHigh) == positions[4])
        #expect(store.position(beforeLast: 2, where: isHigh) == positions[2])
        #expect(store.position(beforeLast: 9, where: isHigh) == store.earliest)
        #expect(store.position(beforeLast: 0, where: isHigh) == store.last)
        #expect(store.position(beforeLast: 3, where: { $0.severity == .critical }) == store.last)
    }

    @Test("A condition fires from its first event to its resolution, told by its last event")
    func firing() {
        var store = MemoryEventStore(capacity: 10, now: 0)
        _ = append(&store, event(fingerprint: "a"), now: 1)
        _ = append(&store, event(fingerprint: "b"), now: 2)
        let updated = append(&store, event(.updated, fingerprint: "a", severity: .critical), now: 3)
        #expect(store.firing.map(\.event.event.fingerprint) == ["b", "a"])
        #expect(store.firing.last?.position == updated)
        _ = append(&store, event(.resolved, fingerprint: "b"), now: 4)
        #expect(store.firing.map(\.event.event.fingerprint) == ["a"])
    }
}
