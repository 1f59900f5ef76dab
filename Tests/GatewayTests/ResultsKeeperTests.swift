import EventStore
import FIMLAgents
import LinuxSystem
import Locking
import Synchronization
import Testing

@testable import Gateway

/// Waits until something is so; machines may be slow.
func until(
    _ what: String, _ location: SourceLocation = #_sourceLocation, _ isMet: () async -> Bool
) async {
    let end = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < end {
        if await isMet() { return }
        try? await Task.sleep(for: .milliseconds(1))
    }
    Issue.record("not in time: \(what)", sourceLocation: location)
}

@Suite("Results are kept behind everybody's back, and a store that is away costs only what it holds")
struct ResultsKeeperTests {
    private let store = ScriptedKeyedStore()
    private let told = Locked<[String]>([])

    private static let later = wallMilliseconds() + 3_600_000

    private func entry(_ key: String, _ value: String = "x") -> KeptEntry {
        KeptEntry(key: key, value: Array(value.utf8), expiresAt: Self.later)
    }

    private func keeper(_ change: (inout ResultsKeeper.Limits) -> Void = { _ in }) throws -> ResultsKeeper {
        var limits = ResultsKeeper.Limits()
        // A starved machine is no slow store.
        limits.read = 120_000
        limits.silence = 600_000
        change(&limits)
        let keeper = ResultsKeeper(store, place: "here", limits: limits) { [told] change, _ in
            let word =
                switch change {
                case .becameReady: "ready"
                case .troubleBegan(let reason): "trouble: \(reason)"
                case .troubleEnded: "ended"
                }
            told.withLock { $0.append(word) }
        }
        try keeper.start()
        return keeper
    }

    @Test("What is kept can be read at once, and is written soon")
    func kept() async throws {
        let keeper = try keeper()
        keeper.put([entry("task:1"), entry("finding:1")])
        #expect(try await keeper.get("task:1") == entry("task:1"))
        await until("it is written") { store.entries.count == 2 }
        #expect(try await keeper.get("finding:1") == entry("finding:1"))
        #expect(try await keeper.get("finding:2") == nil)
        #expect(told.withLock { $0 } == ["ready"])
        #expect(keeper.close(within: .seconds(120)) == 0)
        #expect(store.closed == 1)
    }

    @Test("Findings are gathered; what was promised takes along what waits")
    func gathered() async throws {
        let keeper = try keeper { limits in
            limits.gather = 3_600_000
            limits.batchEntries = 10
        }
        await until("it is ready") { keeper.health().status == .healthy }
        for number in 0..<9 { keeper.put([entry("finding:\(number)")]) }
        keeper.put([entry("task:1")])
        await until("all are written") { store.entries.count == 10 }
        #expect(store.puts == [["task:1"] + (0..<9).map { "finding:\($0)" }])
        for number in 10..<20 { keeper.put([entry("finding:\(number)")]) }
        await until("a batch is full") { store.entries.count == 20 }
        _ = keeper.close(within: .seconds(120))
    }

    @Test("Who waits until it is written waits no longer")
    func settled() async throws {
        let keeper = try keeper()
        for number in 0..<100 {
            keeper.put([entry("task:\(number)")])
            await keeper.settled("task:\(number)")
            #expect(store.entries["task:\(number)"] != nil)
        }
        await keeper.settled("task:none")
        _ = keeper.close(within: .seconds(120))
    }

    @Test("What is asked for while the store is being opened is answered once it is")
    func starting() async throws {
        try store.open()
        try store.put([entry("task:1")])
        store.hang(true)
        let keeper = try keeper()
        let read = Task { try await keeper.get("task:1") }
        #expect(keeper.health().status == .starting)
        await until("it waits") { keeper.state.withLock { $0.reads.count == 1 } }
        store.hang(false)
        #expect(try await read.value == entry("task:1"))
        _ = keeper.close(within: .seconds(120))
    }

    @Test("A store that is away is told, not waited for, and gets what has gathered when it is back")
    func away() async throws {
        store.fail(.unavailable("connection refused"))
        let keeper = try keeper()
        await until("it is told") { keeper.health().status == .unhealthy }
        #expect(keeper.health().reason == "connection refused")
        #expect(keeper.health().since != nil)
        keeper.put([entry("task:1"), entry("task:2")])
        await keeper.settled("task:1")
        await #expect(throws: StoreError.unavailable("connection refused")) { try await keeper.get("task:9") }
        #expect(try await keeper.get("task:1") != nil)
        #expect(await keeper.value("finding:1") == nil)
        store.fail(nil)
        await until("it has all") { store.entries.count == 2 && keeper.health().status == .healthy }
        #expect(told.withLock { $0 } == ["trouble: connection refused", "ended"])
        #expect(keeper.kept.load(ordering: .relaxed) == 2)
        _ = keeper.close(within: .seconds(120))
    }

    @Test("A store that can be read only is in trouble until it has written")
    func full() async throws {
        let keeper = try keeper()
        await until("it is ready") { keeper.health().status == .healthy }
        store.failWrites(.unavailable("the disk is full"))
        keeper.put([entry("task:1")])
        await until("it is tried again") { store.opened >= 2 }
        #expect(keeper.health().reason == "the disk is full")
        store.failWrites(nil)
        await until("it is written") { keeper.health().status == .healthy }
        #expect(told.withLock { $0 } == ["ready", "trouble: the disk is full", "ended"])
        #expect(store.entries.count == 1)
        _ = keeper.close(within: .seconds(120))
    }

    @Test("A failed read has the store asked whether it is there")
    func lost() async throws {
        let keeper = try keeper { limits in
            limits.ping = 3_600_000
        }
        await until("it is ready") { keeper.health().status == .healthy }
        store.fail(.unavailable("connection lost"))
        await #expect(throws: StoreError.self) { try await keeper.get("task:1") }
        await until("it is told") { keeper.health().status == .unhealthy }
        store.fail(nil)
        await until("it is back") { keeper.health().status == .healthy }
        _ = keeper.close(within: .seconds(120))
    }

    @Test("A store that hangs keeps nobody, and its silence tells")
    func hangs() async throws {
        let keeper = try keeper { limits in
            limits.read = 20
            limits.ping = 10
            limits.silence = 50
        }
        await until("it is ready") { keeper.health().status == .healthy }
        store.hang(true)
        await until("all threads hang") {
            // One that is given up before a thread takes it up hangs none.
            _ = try? await keeper.get("task:1")
            return store.hanging == 1 + limitsOfReaders
        }
        await until("it is told") { keeper.health().status == .unhealthy }
        #expect(keeper.health().reason?.hasPrefix("it has answered nothing for") == true)
        // Not even for a moment, once all who could ask are stuck.
        await until("it is refused") {
            do throws(StoreError) { _ = try await keeper.get("task:2") } catch {
                return error == .unavailable("it is too slow")
            }
            return false
        }
        #expect(keeper.close(within: .milliseconds(10)) == 0)
        #expect(store.closed == 0)
        store.hang(false)
    }

    private let limitsOfReaders = ResultsKeeper.Limits().readers

    @Test("At the end what waits is written; where the store is away it is said how much was not")
    func end() async throws {
        let keeper = try keeper { $0.batchEntries = 7 }
        keeper.put((0..<100).map { entry("task:\($0)") })
        await until("it is ready") { keeper.health().status == .healthy }
        #expect(keeper.close(within: .seconds(120)) == 0)
        #expect(store.entries.count == 100)
        #expect(store.puts.allSatisfy { $0.count <= 7 })
        keeper.put([entry("task:100")])
        #expect(keeper.dropped.load(ordering: .relaxed) == 1)

        store.fail(.unavailable("gone"))
        let other = try self.keeper()
        other.put([entry("task:1"), entry("task:2")])
        await until("it is told") { other.health().status == .unhealthy }
        #expect(other.close(within: .seconds(120)) == 2)
    }

    @Test("What is over is cleared away, also after many writes in a short time")
    func cleaning() async throws {
        let keeper = try keeper { limits in
            limits.cleanAfter = 50
            limits.kinds = [("finding:", 10), ("task:", 20), ("session:", nil)]
        }
        await until("at first") { store.cleaned.starts(with: ["finding:", "task:"]) }
        keeper.put((0..<50).map { entry("task:\($0)") })
        await until("again") { store.cleaned.count >= 4 }
        await until("they are counted") { keeper.health().entries.dropLast().last?.count == 50 }
        #expect(keeper.health().entries.map(\.kind) == ["finding", "task", "session"])
        #expect(!store.cleaned.contains("session:"), "who keeps sessions clears them away")
        _ = keeper.close(within: .seconds(60))
    }

    @Test("Hits and misses of results are counted")
    func figures() async throws {
        let keeper = try keeper()
        keeper.keep(StoredResult([0x7B, 0x7D], expiresAt: Self.later), as: "task:1")
        #expect(await keeper.value("task:1") == StoredResult([0x7B, 0x7D], expiresAt: Self.later))
        #expect(await keeper.value("task:2") == nil)
        keeper.keep(StoredResult([], expiresAt: 0), as: "task:1")
        #expect(await keeper.value("task:1") == nil)
        #expect(keeper.hits.load(ordering: .relaxed) == 1)
        #expect(keeper.misses.load(ordering: .relaxed) == 2)
        _ = keeper.close(within: .seconds(120))
    }
}
