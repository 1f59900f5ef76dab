import Broadcast
import FIMLCore
import Locking
import Testing

@testable import EventStore

@Suite("The journal stores, then tells, then answers; and bears a store in trouble")
struct EventJournalTests {
    private func journal(
        _ store: any EventStore, _ told: Told = Told(),
        _ change: (inout EventJournal.Limits) -> Void = { _ in }
    ) throws -> EventJournal {
        var limits = EventJournal.Limits()
        change(&limits)
        let journal = try EventJournal(store: store, limits: limits, listener: told.listener)
        try journal.start()
        return journal
    }

    private func submission(_ count: Int = 1, states: [String: [UInt8]] = [:]) -> Submission {
        Submission(events: (0..<count).map { _ in madeEvent() }, states: states)
    }

    private func positions(_ outcome: EventJournal.Outcome) -> [StreamPosition] {
        switch outcome {
        case .stored(let positions), .told(let positions): positions
        case .fenced, .refused, .overloaded: []
        }
    }

    @Test("Who is answered reads what was stored, and everybody was told it in the order of positions")
    func order() async throws {
        let told = Told()
        let journal = try journal(MemoryEventStore(capacity: 100_000), told) { $0.memoryEvents = 50 }
        let answered = Locked<[StreamPosition]>([])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for count in 1...20 {
                        let outcome = await journal.submit(submission(count), .refuse)
                        let stored = positions(outcome)
                        #expect(stored.count == count && stored == stored.sorted())
                        answered.withLock { $0 += stored }
                    }
                }
            }
        }
        let all = answered.withLock { $0.sorted() }
        #expect(all.count == 8 * 210 && Set(all).count == all.count)
        #expect(told.positions.withLock { $0 } == all)
        var read: [StreamPosition] = []
        var page = try journal.readPage(after: journal.range.earliest)
        while let last = page.cursor ?? page.events.last?.position {
            read += page.events.map(\.position)
            page = try journal.readPage(after: last)
        }
        #expect(read == all)
        journal.stop()
    }

    @Test("What comes while a batch is written goes together, in one append")
    func groups() async throws {
        let store = FailingStore()
        let journal = try EventJournal(store: store, limits: .init(), listener: Told().listener)
        let left = Locked(100)
        for _ in 0..<100 {
            journal.submit(submission(), .refuse) { _ in left.withLock { $0 -= 1 } }
        }
        try journal.start()
        #expect(eventually { left.withLock { $0 } == 0 })
        #expect(store.state.withLock { $0.appends } == 1)
        journal.stop()
    }

    @Test("In trouble publishers are refused with the cause, and taken again when it is over")
    func refusals() async throws {
        let (store, told) = (FailingStore(), Told())
        let journal = try journal(store, told)
        store.fail("the disk is full")
        guard case .refused(let reason) = await journal.submit(submission(), .refuse) else {
            Issue.record("it was taken")
            return
        }
        #expect(reason == "the disk is full" && journal.currentStatus().trouble == reason)
        #expect(told.positions.withLock { $0.isEmpty })
        store.fail(nil)
        #expect(eventually { journal.currentStatus().trouble == nil })
        #expect(positions(await journal.submit(submission(), .refuse)).count == 1)
        #expect(told.troubles.withLock { $0 } == ["the disk is full", nil])
        journal.stop()
    }

    @Test(
        "Who may wait is told without the store, marked as such; it is stored when the trouble is over"
    )
    func spool() async throws {
        let (store, told) = (FailingStore(), Told())
        let journal = try journal(store, told)
        store.fail("the disk is full")
        var spooled: [StreamPosition] = []
        for number in 1...3 as ClosedRange<UInt8> {
            let outcome = await journal.submit(submission(2, states: ["a": [number]]), .wait)
            spooled += positions(outcome)
        }
        #expect(spooled.count == 6 && told.positions.withLock { $0 } == spooled)
        #expect(store.state.withLock { $0.marked } && journal.currentStatus().unstored == 6)
        #expect(journal.page(after: spooled[0])?.events.map(\.position) == Array(spooled.dropFirst()))
        store.fail(nil)
        #expect(eventually { journal.currentStatus().unstored == 0 })
        let state = store.state.withLock { $0 }
        #expect(state.told == spooled && !state.marked && state.states["a"] == [3])
        let next = positions(await journal.submit(submission(), .refuse))
        #expect(next[0] > spooled[5])
        journal.stop()
    }

    @Test(
        "A mark that cannot be taken away at first is taken away later; what was stored is not stored again")
    func clearing() async throws {
        let (store, told) = (FailingStore(), Told())
        let journal = try journal(store, told)
        store.fail("the disk is full")
        store.state.withLock { $0.clearingFails = true }
        let spooled = positions(await journal.submit(submission(2), .wait))
        store.fail(nil)
        #expect(eventually { journal.currentStatus().trouble == "no clearing" })
        #expect(store.state.withLock { $0.told } == spooled)
        store.state.withLock { $0.clearingFails = false }
        #expect(eventually { journal.currentStatus().trouble == nil })
        #expect(!store.state.withLock { $0.marked })
        journal.stop()
    }

    @Test("The store stays within its bound while publishers are busy")
    func sustained() async throws {
        let journal = try journal(MemoryEventStore(capacity: 1_000_000)) { limits in
            limits.kept = 100
            limits.keptBeyond = 50
        }
        for _ in 0..<20 {
            #expect(positions(await journal.submit(submission(1_000), .refuse)).count == 1_000)
        }
        #expect(eventually { journal.currentStatus().count <= 150 })
        journal.stop()
    }

    @Test("What cannot be marked is not told: it waits, and is stored first when the trouble is over")
    func held() async throws {
        let (store, told) = (FailingStore(), Told())
        let journal = try journal(store, told)
        store.fail("the disk is gone")
        store.state.withLock { $0.markingFails = true }
        let outcome = Locked<EventJournal.Outcome?>(nil)
        journal.submit(submission(), .wait) { answer in outcome.withLock { $0 = answer } }
        #expect(eventually { journal.currentStatus().trouble == "no mark" })
        #expect(told.positions.withLock { $0.isEmpty } && outcome.withLock { $0 == nil })
        store.fail(nil)
        #expect(eventually { outcome.withLock { $0 != nil } })
        #expect(told.positions.withLock { $0.count } == 1)
        #expect(eventually { journal.currentStatus().trouble == nil })
        journal.stop()
    }

    @Test("As much waits as may, and not one event more; nothing of what waited is lost or answered twice")
    func bounds() async throws {
        let (store, told) = (FailingStore(), Told())
        store.state.withLock { $0.markingFails = true }
        let journal = try journal(store, told) { $0.waitingEvents = 10 }
        store.fail("the disk is gone")
        let answers = Locked<[Int]>(Array(repeating: 0, count: 15))
        for number in 0..<15 {
            journal.submit(submission(), .wait) { outcome in
                if case .overloaded = outcome { return }
                answers.withLock { $0[number] += 1 }
            }
        }
        guard case .overloaded = await journal.submit(submission(), .wait) else {
            Issue.record("more than the bound was taken")
            return
        }
        #expect(answers.withLock { $0.reduce(0, +) } == 0)
        store.fail(nil)
        #expect(eventually { answers.withLock { $0.reduce(0, +) } == 10 })
        #expect(answers.withLock { $0 } == Array(repeating: 1, count: 10) + Array(repeating: 0, count: 5))
        #expect(told.positions.withLock { $0.count } == 10)
        journal.stop()
    }

    @Test("A batch larger than the bound is taken where it is alone")
    func largeBatch() async throws {
        let journal = try journal(MemoryEventStore(capacity: 1000)) { $0.waitingEvents = 10 }
        #expect(positions(await journal.submit(submission(100), .refuse)).count == 100)
        journal.stop()
    }

    @Test("The store is trimmed, and who comes from before is outside of it")
    func trimming() async throws {
        let journal = try journal(MemoryEventStore(capacity: 1000)) { $0.kept = 30 }
        let stored = positions(await journal.submit(submission(50), .refuse))
        #expect(journal.range.earliest == stored[19] && journal.currentStatus().count == 30)
        journal.stop()
    }

    @Test("The last so many of a filter are found in the store too, where memory is too short")
    func findsInStore() async throws {
        let journal = try journal(MemoryEventStore(capacity: 10_000)) { $0.memoryEvents = 10 }
        var criticals: [StreamPosition] = []
        var before: [StreamPosition] = []
        var last = journal.range.last
        for number in 0..<600 {
            let isCritical = number % 100 == 7
            let event = madeEvent(severity: isCritical ? .critical : .low)
            let position = positions(await journal.submit(Submission(events: [event]), .refuse))[0]
            if isCritical {
                criticals.append(position)
                before.append(last)
            }
            last = position
        }
        let filter = try EventFilter.parse(["severities": ["critical"]])
        #expect(journal.position(beforeLast: 3, matching: filter) == nil)
        #expect(try journal.findPosition(beforeLast: 3, matching: filter) == before[3])
        #expect(try journal.findPosition(beforeLast: 100, matching: filter) == journal.range.earliest)
        journal.stop()
    }

    @Test("What waits at the end is stored, and what comes after is refused")
    func stopping() async throws {
        let store = FailingStore()
        let journal = try EventJournal(store: store, limits: .init(), listener: Told().listener)
        let stored = Locked(0)
        for _ in 0..<10 {
            journal.submit(submission(), .refuse) { outcome in
                if case .stored = outcome { stored.withLock { $0 += 1 } }
            }
        }
        try journal.start()
        journal.stop()
        #expect(stored.withLock { $0 } == 10)
        guard case .refused = await journal.submit(submission(), .refuse) else {
            Issue.record("it was taken after the end")
            return
        }
    }
}
