import Analysis
import Configuration
import FIMLCore
import LinuxSystem
import Testing

@testable import FIMLAgents

@Suite("A pool gives each task to the least loaded worker that may have it")
struct WorkerPoolTests {
    private static let figures = Figures(.apple, at: Timestamp(milliseconds: 0))

    private let clock = ManualClock()

    private func pool(
        _ host: ScriptedHost, workers: Int, each: Int = 50, type: WorkerType = .technical
    ) -> WorkerPool {
        var settings = Settings.Workers()
        settings.poolSize = workers
        settings.maxConcurrentTasks = each
        let clock = clock
        return WorkerPool(type, settings, host: host, observer: nil, now: { clock.now })
    }

    private func worker(_ pool: WorkerPool, avoiding avoided: Int? = nil) async throws -> Int {
        try await pool.attempt(Self.figures, avoiding: avoided).worker
    }

    @Test("Macro, correlation, risk and options have half as many workers, at least one")
    func sizes() {
        var settings = Settings.Workers()
        let full: Set<WorkerType> = [.fundamentals, .technical, .sentiment, .news]
        for (size, half) in [(8, 4), (7, 3), (1, 1)] {
            settings.poolSize = size
            for type in WorkerType.allCases {
                #expect(WorkerPool.size(of: type, settings) == (full.contains(type) ? size : half))
            }
        }
        let ids = pool(ScriptedHost(.risk), workers: 4, type: .risk).metrics().map(\.id)
        #expect(ids == ["risk_0", "risk_1"])
    }

    @Test("Workers that have equally little to do take turns")
    func turns() async throws {
        let pool = pool(ScriptedHost(.technical), workers: 3)
        var workers: [Int] = []
        for _ in 0..<7 { workers.append(try await worker(pool)) }
        #expect(workers == [0, 1, 2, 0, 1, 2, 0])
    }

    @Test("One that is busy is passed over while another is not")
    func leastLoaded() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { call in
            call.number < 2 ? .hold(latch, then: .score(5, confidence: 1)) : .score(5, confidence: 1)
        }
        let pool = pool(host, workers: 3)
        async let first = worker(pool)
        await until("the first is held") { host.running == 1 }
        async let second = worker(pool)
        await until("two are held") { host.running == 2 }
        for _ in 0..<5 { #expect(try await worker(pool) == 2) }
        #expect(pool.metrics().map(\.tasksInProgress) == [1, 1, 0])
        latch.open()
        #expect(try await [first, second] == [0, 1])
        #expect(pool.metrics().map(\.tasksInProgress) == [0, 0, 0])
    }

    @Test("Another worker gets a task that one failed at, where there is another")
    func another() async throws {
        let two = pool(ScriptedHost(.technical), workers: 2)
        for avoided in [0, 0, 0, 1, 1, 1] { #expect(try await worker(two, avoiding: avoided) != avoided) }
        let one = pool(ScriptedHost(.technical), workers: 1)
        #expect(try await worker(one, avoiding: 0) == 0)
    }

    @Test("Where none has room a task waits, and goes on when there is some")
    func waiting() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(5, confidence: 1)) }
        let pool = pool(host, workers: 2, each: 2)
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { try await worker(pool) } }
            await until("all places are taken") { host.running == 4 }
            await until("the others wait") { pool.waitingCount == 46 }
            latch.open()
            var answered = 0
            for try await _ in group { answered += 1 }
            #expect(answered == 50)
        }
        #expect(host.mostRunning == 4)
        #expect(pool.waitingCount == 0)
        #expect(pool.metrics().map(\.tally.completed).reduce(0, +) == 50)
    }

    @Test("A waiter that is cancelled goes at once, and the others go on")
    func cancelledWaiter() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(5, confidence: 1)) }
        let pool = pool(host, workers: 1, each: 1)
        async let running = worker(pool)
        await until("one runs") { host.running == 1 }
        let gone = Task { try await worker(pool) }
        await until("it waits") { pool.waitingCount == 1 }
        let staying = Task { try await worker(pool) }
        await until("two wait") { pool.waitingCount == 2 }
        gone.cancel()
        await #expect(throws: AttemptFailure.worker(.stopped, 0)) { try await gone.value }
        #expect(pool.waitingCount == 1)
        latch.open()
        #expect(try await running == 0)
        #expect(try await staying.value == 0)
    }

    @Test("A place is never lost where waiters are cancelled just when they are woken")
    func cancelledWhenWoken() async throws {
        for _ in 0..<200 {
            let latch = Latch()
            let host = ScriptedHost(.technical) { call in
                call.number == 0 ? .hold(latch, then: .score(5, confidence: 1)) : .score(5, confidence: 1)
            }
            let pool = pool(host, workers: 1, each: 1)
            let running = Task { try await worker(pool) }
            await until("one runs") { host.running == 1 }
            let gone = Task { try await worker(pool) }
            await until("one waits") { pool.waitingCount == 1 }
            let staying = Task { try await worker(pool) }
            await until("two wait") { pool.waitingCount == 2 }
            latch.open()
            await until("one was answered") { host.running == 0 || host.calls.count > 1 }
            gone.cancel()
            _ = await gone.result
            #expect(try await running.value == 0)
            #expect(try await staying.value == 0)
        }
    }

    @Test("Where all circuits are open it says so at once, and for how long; then one task tries")
    func unavailable() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { call in
            call.number < 10 ? .fail(.threw("no")) : .hold(latch, then: .score(5, confidence: 1))
        }
        let pool = pool(host, workers: 2)
        for _ in 0..<10 {
            await #expect(throws: AttemptFailure.self) { try await worker(pool) }
        }
        #expect(pool.metrics().map(\.circuit) == [.open, .open])
        clock.advance(seconds: 40)
        await #expect(throws: AttemptFailure.unavailable(20_000)) { try await worker(pool) }
        #expect(host.calls.count == 10)
        clock.advance(seconds: 20)
        let trials = (0..<2).map { _ in Task { try await worker(pool) } }
        await until("each worker tries one") { host.running == 2 }
        await #expect(throws: AttemptFailure.unavailable(1_000)) { try await worker(pool) }
        latch.open()
        for trial in trials { _ = try await trial.value }
        #expect(pool.metrics().map(\.circuit) == [.closed, .closed])
    }

    @Test("Those who wait for a worker whose circuit opens are told so")
    func opensWhileWaiting() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .fail(.threw("no"))) }
        let pool = pool(host, workers: 1, each: 1)
        let tasks = (0..<20).map { _ in Task { try await worker(pool) } }
        await until("the rest waits") { pool.waitingCount == 19 }
        latch.open()
        var failed = 0
        var refused = 0
        for task in tasks {
            do {
                _ = try await task.value
            } catch AttemptFailure.worker(.threw, _) {
                failed += 1
            } catch AttemptFailure.unavailable {
                refused += 1
            }
        }
        #expect(failed == 5)
        #expect(refused == 15)
    }

    @Test("Those who waited during a trial all go on when it is answered")
    func trialAnswered() async throws {
        let trial = Latch()
        let late = Latch()
        // Five fail; the sixth, given before they did, runs on; then comes the trial.
        let host = ScriptedHost(.technical) { call in
            switch call.number {
            case 0: .hold(late, then: .score(5, confidence: 1))
            case 1...5: .fail(.threw("no"))
            case 6: .hold(trial, then: .score(5, confidence: 1))
            default: .score(5, confidence: 1)
            }
        }
        let pool = pool(host, workers: 1, each: 2)
        let older = Task { try await worker(pool) }
        await until("the older one runs") { host.running == 1 }
        for _ in 0..<5 { await #expect(throws: AttemptFailure.self) { try await worker(pool) } }
        clock.advance(seconds: 60)
        let trying = Task { try await worker(pool) }
        await until("the trial runs") { host.running == 2 }
        late.open()
        _ = try await older.value
        #expect(pool.metrics()[0].circuit == .halfOpen)
        trial.open()
        _ = try await trying.value
        #expect(pool.metrics()[0].circuit == .closed)
        #expect(try await worker(pool) == 0)
    }

    @Test("A pool that is shut down while it is full lets its waiters go")
    func stopped() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(5, confidence: 1)) }
        let pool = pool(host, workers: 1, each: 1)
        let running = Task { try await worker(pool) }
        await until("one runs") { host.running == 1 }
        let waiting = Task { try await worker(pool) }
        await until("one waits") { pool.waitingCount == 1 }
        await pool.shutDown()
        await #expect(throws: AttemptFailure.worker(.stopped, 0)) { try await waiting.value }
        await #expect(throws: AttemptFailure.worker(.stopped, 0)) { try await worker(pool) }
        latch.open()
        #expect(try await running.value == 0)
    }
}
