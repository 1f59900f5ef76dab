import Dispatch
import FIMLCore
import Locking

@testable import EventStore

/// An event of which only these parts matter.
func madeEvent(
    _ status: EventStatus = .firing, fingerprint: String = "0123456789abcdef", severity: Severity = .high,
    id: String = "evt_1"
) -> WatchdogEvent {
    let time = Timestamp(milliseconds: 0)
    return WatchdogEvent(
        eventID: id, type: .priceAnomaly, severity: severity, status: status, fingerprint: fingerprint,
        watchdog: .priceAnomaly, asset: nil, assets: [], description: "made", timestamp: time, startsAt: time)
}

/// A position in short.
func at(_ milliseconds: UInt64, _ sequence: UInt64 = 0) -> StreamPosition {
    StreamPosition(milliseconds: milliseconds, sequence: sequence)
}

/// Waits until something holds, for two minutes at most, since machines may be busy; whether it came to hold.
func eventually(_ holds: () -> Bool) -> Bool {
    for _ in 0..<120_000 {
        if holds() { return true }
        _ = DispatchSemaphore(value: 0).wait(timeout: .now() + .milliseconds(1))
    }
    return false
}

/// A store in memory that can be put into trouble.
final class FailingStore: LocalEventStore {
    struct State {
        var trouble: StoreError?
        var marked = false
        var markingFails = false
        var clearingFails = false
        var appends = 0
        var told: [StreamPosition] = []
        var states: [String: [UInt8]] = [:]
    }

    let memory = MemoryEventStore(capacity: 100_000)
    let state = Locked(State())

    var kind: String { "failing" }

    func fail(_ reason: String?) {
        state.withLock { $0.trouble = reason.map { .unavailable($0) } }
    }

    private func check() throws(StoreError) {
        if let trouble = state.withLock({ $0.trouble }) { throw trouble }
    }

    func open(now: Int64) -> StoreContents { memory.open(now: now) }

    func append(_ submissions: [Submission], now: Int64) throws(StoreError) -> [Appended] {
        try check()
        state.withLock { state in
            state.appends += 1
            for submission in submissions { state.states.merge(submission.states) { $1 } }
        }
        return memory.append(submissions, now: now)
    }

    func append(told events: [ToldEvent], states: [String: [UInt8]]) throws(StoreError) {
        try check()
        // As the key of a table would: each position once.
        let isTwice = state.withLock { !Set($0.told).isDisjoint(with: events.map(\.position)) }
        if isTwice { throw .unavailable("it is there already") }
        state.withLock { state in
            state.told += events.map(\.position)
            state.states.merge(states) { $1 }
        }
    }

    func takeNotices() -> [String] { [] }

    func markUnstored(upTo position: StreamPosition) throws(StoreError) {
        if state.withLock({ $0.markingFails }) { throw .unavailable("no mark") }
        state.withLock { $0.marked = true }
    }

    func clearUnstored() throws(StoreError) {
        if state.withLock({ $0.clearingFails }) { throw .unavailable("no clearing") }
        state.withLock { $0.marked = false }
    }

    func read(after position: StreamPosition, limit: Int) throws(StoreError) -> StoredPage {
        try check()
        return memory.read(after: position, limit: limit)
    }

    func read(before position: StreamPosition, limit: Int) throws(StoreError) -> [StoredEvent] {
        try check()
        return memory.read(before: position, limit: limit)
    }

    func trim(
        toNewest count: Int, storedSince moment: Int64?
    ) throws(StoreError) -> (earliest: StreamPosition, count: Int) {
        try check()
        return memory.trim(toNewest: count, storedSince: moment)
    }

    func close() {}
}

/// Keeps what a journal tells.
final class Told: Sendable {
    let positions = Locked<[StreamPosition]>([])
    let troubles = Locked<[String?]>([])

    var listener: EventJournal.Listener {
        EventJournal.Listener(
            broadcast: { publications in self.positions.withLock { $0 += publications.map(\.position) } },
            trouble: { trouble in self.troubles.withLock { $0.append(trouble) } })
    }
}
