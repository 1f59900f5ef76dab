import Analysis
import Configuration
import EventStore
import FIMLCore
import LinuxSystem
import Locking
import MarketData
import Testing

@testable import FIMLAgents
@testable import RedisStore
@testable import RemoteWorkers

@Suite("Analysis runs wherever worker hosts are: tasks go over Redis, answers to the gateway that asked")
struct RemoteWorkersTests {
    private static let recorded = Result {
        let directory = #filePath.replacing(
            "Tests/RedisStoreTests/RemoteWorkersTests.swift", with: "Sources/MarketData/Recording")
        return AnalysisMarket(
            recorded: try ReplayMarket(Recording.load(directory: directory), from: nil, speed: 1))
    }

    private static let apple = Asset(symbol: "AAPL", assetType: .equity)

    private let server: RedisServer
    private let tasks: RedisTasks
    /// What other gateways are said to have.
    private let offered = Locked<Set<WorkerType>?>(Set(WorkerType.allCases))
    private let senders: StoreThreads

    init() throws {
        server = try RedisServer()
        tasks = RedisTasks(server.client())
        senders = try StoreThreads(name: "test-sender", count: 2, limit: 100)
    }

    // MARK: - Gateways

    private func exchange(_ node: String = "asking") throws -> TaskExchange {
        try TaskExchange(tasks, node: node) { [offered] in offered.withLock { $0 } }
    }

    private func orchestrator(
        having types: Set<WorkerType>, _ others: (any OtherGateways)?,
        hosts: @escaping @Sendable (WorkerType) -> any WorkerHost = { type in
            InProcessHost(type) { WorkerSet.worker(type) }
        }
    ) throws -> AgentOrchestrator {
        var settings = Settings()
        settings.workers.poolSize = 1
        settings.workers.retryAttempts = 0
        for type in WorkerType.allCases { settings.workers[isEnabled: type.rawValue] = types.contains(type) }
        return AgentOrchestrator(settings, market: try Self.recorded.get(), hosts: hosts, others: others)
    }

    private func taker(
        _ type: WorkerType, _ node: String, limit: Int = 1, silence: Int = 600_000,
        answer: @escaping @Sendable (Figures) async -> Result<WorkerAnswer, WorkerFailure>
    ) throws -> TaskTaker {
        let taker = TaskTaker(
            type, limit: limit, tasks: tasks, node: node,
            place: TaskTaker.Place(isReady: { true }, answer: answer), senders: senders,
            silenceMilliseconds: silence, onTrouble: { _ in })
        try taker.start()
        return taker
    }

    private static func finding(_ score: Double) -> Result<WorkerAnswer, WorkerFailure> {
        .success(
            .finding(
                Finding(
                    score: score, confidence: 1, asOf: Timestamp(milliseconds: 1_795_497_841_000),
                    details: [:]
                )))
    }

    private static var figures: Figures { Figures(apple, at: Timestamp(milliseconds: 1_795_497_841_000)) }

    private func wait(_ what: String, until isMet: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < end {
            if try isMet() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("not in time: \(what)")
    }

    private static func failure(
        _ exchange: TaskExchange, _ figures: Figures = figures, within limit: Duration = .seconds(120)
    ) async -> WorkerFailure? {
        do throws(WorkerFailure) {
            _ = try await exchange.run(figures, by: .risk, within: limit)
            return nil
        } catch {
            return error
        }
    }

    // MARK: - Answers

    @Test("A gateway without workers has the same findings, from another that has them")
    func sameFindings() async throws {
        let taking = try orchestrator(having: Set(WorkerType.allCases), nil)
        let takers = try WorkerType.allCases.map { type in
            try taker(type, "taking") { figures in
                do throws(WorkerFailure) {
                    return .success(try await taking.answer(to: figures, by: type))
                } catch {
                    return .failure(error)
                }
            }
        }
        let exchange = try exchange()
        let asking = try orchestrator(having: [], exchange)
        #expect(asking.availableTypes == WorkerType.allCases && asking.offeredTypes.isEmpty)
        let (here, there) = (
            try await taking.analyzeAsset(Self.apple), try await asking.analyzeAsset(Self.apple)
        )
        #expect(there.aggregate.agentCount == 8)
        #expect(there.aggregate.scores == here.aggregate.scores)
        #expect(there.results.map(\.finding?.details) == here.results.map(\.finding?.details))
        #expect(there[.risk]?.workerID == "risk@redis")
        #expect(taking.healthMonitor.metrics(of: "risk_0")?.tally.completed == 2)
        let shown = try #require(asking.healthMonitor.metrics(of: "risk@redis"))
        #expect(shown.isRemote && shown.status == .healthy && shown.json["remote"] == true)
        #expect(try server.run("XLEN", "fiml:tasks:risk").number == 0, "nothing of a task stays")
        for taker in takers { taker.stop() }
        exchange.stop()
    }

    @Test("What a worker fails of is told as it was; of more answers than one the first counts")
    func reasons() async throws {
        let failing = try taker(.risk, "taking") { _ in .failure(.threw("the bars are not in order")) }
        let exchange = try exchange()
        #expect(await Self.failure(exchange) == .threw("the bars are not in order"))
        failing.stop()
        exchange.stop()
        #expect(await Self.failure(exchange) == .stopped)
    }

    @Test("A taker has as many tasks as it has room for, and answers all")
    func bounded() async throws {
        let (now, most) = (Locked(0), Locked(0))
        let isOpen = Locked(false)
        let taker = try taker(.risk, "taking", limit: 2) { _ in
            let count = now.withLock { now in
                now += 1
                return now
            }
            most.withLock { $0 = max($0, count) }
            while !isOpen.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
            now.withLock { $0 -= 1 }
            return Self.finding(7)
        }
        let exchange = try exchange()
        let figures = Self.figures
        let answers = (0..<6).map { _ in
            Task { try await exchange.run(figures, by: .risk, within: .seconds(120)) }
        }
        // One that is under way has not always begun.
        try await wait("six tasks are there, two of them begun") {
            try server.run("XLEN", "fiml:tasks:risk").number == 6 && now.withLock { $0 } == 2
        }
        isOpen.withLock { $0 = true }
        for answer in answers { #expect(try await .success(answer.value) == Self.finding(7)) }
        #expect(most.withLock { $0 } == 2)
        taker.stop()
        exchange.stop()
    }

    // MARK: - Gateways that die

    @Test("What a gateway had taken that died is claimed by another; a slow one that lives keeps its tasks")
    func claimed() async throws {
        let isOpen = Locked(false)
        let dying = try taker(.risk, "dying") { _ in
            while !isOpen.withLock({ $0 }) { try? await Task.sleep(for: .milliseconds(5)) }
            return Self.finding(1)
        }
        let exchange = try exchange()
        let figures = Self.figures
        let answer = Task { try await exchange.run(figures, by: .risk, within: .seconds(120)) }
        try await wait("the task is taken") { dying.underWay == 1 }
        // It tells of its task each two seconds: nobody claims it.
        let impatient = Locked(0)
        let other = try taker(.risk, "living", silence: 20_000) { _ in
            impatient.withLock { $0 += 1 }
            return Self.finding(2)
        }
        try await wait("the owner told of it twice") {
            let pending = try server.run("XPENDING", "fiml:tasks:risk", "hosts", "-", "+", "10")
            return (pending.elements.first?.elements[2].number ?? .max) < 1_000
        }
        #expect(impatient.withLock { $0 } == 0)
        other.stop()
        // As if it were killed: it tells nobody any more.
        dying.stop()
        let claiming = try taker(.risk, "claiming", silence: 3_000) { _ in Self.finding(3) }
        #expect(try await .success(answer.value) == Self.finding(3))
        isOpen.withLock { $0 = true }
        try await wait("what came too late is dropped") { dying.underWay == 0 }
        #expect(try server.run("XLEN", "fiml:tasks:risk").number == 0)
        claiming.stop()
        exchange.stop()
    }

    @Test("Who waits is told when the last gateway with such workers goes, and when the time is over")
    func hopeless() async throws {
        let exchange = try exchange()
        #expect(await Self.failure(exchange, within: .milliseconds(300)) == .timedOut(.milliseconds(300)))
        let waiting = Task { await Self.failure(exchange) }
        try await wait("the task is sent") { try server.run("XLEN", "fiml:tasks:risk").number == 2 }
        offered.withLock { $0 = [.macro] }
        #expect(await waiting.value == .refused("the other gateways that had its workers are gone"))
        exchange.stop()
    }

    // MARK: - Who is asked

    @Test("Types that no gateway has are refused at once, also while Redis is away")
    func refused() async throws {
        let exchange = try exchange()
        let asking = try orchestrator(having: [.macro], exchange)
        offered.withLock { $0 = [.risk] }
        #expect(asking.availableTypes == [.macro, .risk])
        await #expect(throws: AnalysisRefusal.switchedOff([.news])) {
            try await asking.analyzeAsset(Self.apple, agents: [.macro, .news])
        }
        #expect(Set(asking.healthMonitor.allMetrics().map(\.id)) == ["macro_0", "risk@redis"])
        #expect(asking.healthMonitor.metrics(of: "news@redis") == nil)
        offered.withLock { $0 = nil }
        #expect(asking.availableTypes == [.macro])
        #expect(
            asking.healthMonitor.metrics(of: "risk@redis")?.reason == "the other gateways cannot be reached")
        let bare = try orchestrator(having: [], exchange)
        await #expect(throws: AnalysisRefusal.cutOff) { try await bare.analyzeAsset(Self.apple) }
        exchange.stop()
    }

    @Test(
        "When the only gateway with workers goes, an analysis ends as cut off and not as one without findings"
    )
    func cutOff() async throws {
        let exchange = try exchange()
        let asking = try orchestrator(having: [], exchange)
        let analysis = Task { try await asking.analyzeAsset(Self.apple, agents: [.risk, .technical]) }
        try await wait("both tasks are sent") {
            try server.run("EXISTS", "fiml:tasks:risk", "fiml:tasks:technical").number == 2
        }
        offered.withLock { $0 = [] }
        await #expect(throws: AnalysisRefusal.cutOff) { try await analysis.value }
        exchange.stop()
    }

    /// A host whose process has ended.
    private struct EndedHost: WorkerHost {
        let type: WorkerType

        func run(_: Figures, by _: Int, within _: Duration) async throws(WorkerFailure) -> WorkerAnswer {
            throw .hostLost("exit status 1")
        }

        func status() -> WorkerHostStatus { WorkerHostStatus(type, .restarting) }

        func shutDown() async {}
    }

    @Test("While a host is down its gateway's tasks go to others; those of others stay, and fail")
    func fallback() async throws {
        let taker = try taker(.risk, "taking") { _ in Self.finding(6) }
        let exchange = try exchange()
        let asking = try orchestrator(having: [.risk], exchange) { EndedHost(type: $0) }
        #expect(!asking.takesTasks(of: .risk) && asking.offeredTypes == [.risk])
        #expect(try await asking.analyzeAsset(Self.apple, agents: [.risk])[.risk]?.finding?.score == 6)
        await #expect(throws: WorkerFailure.hostLost("exit status 1")) {
            try await asking.answer(to: Self.figures, by: .risk)
        }
        offered.withLock { $0 = [] }
        let again = try orchestrator(having: [.risk], exchange) { EndedHost(type: $0) }
        let result = try await again.analyzeAsset(Self.apple, agents: [.risk])[.risk]
        #expect(
            result?.status == .failed && result?.error?.contains("exit status 1") == true, "\(result as Any)")
        taker.stop()
        exchange.stop()
    }

    // MARK: - Redis and what is in it

    @Test("Who waits while Redis dies is told after some seconds; when it is back tasks are done again")
    func redisDies() async throws {
        let exchange = try exchange()
        let waiting = Task { await Self.failure(exchange) }
        try await wait("the task is sent") { try server.run("XLEN", "fiml:tasks:risk").number == 1 }
        server.kill()
        guard case .refused(let reason) = await waiting.value else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("Redis at 127.0.0.1"))
        let taker = try taker(.risk, "taking") { _ in Self.finding(4) }
        try server.restart()
        let figures = Self.figures
        let answer = try await exchange.run(figures, by: .risk, within: .seconds(120))
        #expect(.success(answer) == Self.finding(4))
        taker.stop()
        exchange.stop()
    }

    @Test("Tasks that are none are answered so, answers that are none are believed as little")
    func hostile() async throws {
        let taker = try taker(.risk, "taking") { _ in Self.finding(5) }
        for (id, payload) in [("a", "no JSON"), ("b", "[1]"), ("c", "{\"asset\":1}"), ("d", "{}")] {
            try tasks.submit(
                type: "risk", id: id, payload: Array(payload.utf8), node: "other", withinMilliseconds: 600_000
            )
        }
        var results: [RedisTasks.Result] = []
        while results.count < 4 {
            let after = results.last?.position ?? .zero
            results += try tasks.results(node: "other", after: after, waitMilliseconds: 120_000)
        }
        #expect(results.allSatisfy(\.isFailure) && Set(results.map(\.id)) == ["a", "b", "c", "d"])
        taker.stop()
        func outcome(_ text: String, _ isFailure: Bool = false) -> String {
            let result = RedisTasks.Result(
                position: .zero, id: "a", payload: Array(text.utf8), isFailure: isFailure)
            switch TaskExchange.outcome(result) {
            case .success: return "success"
            case .failure(.rubbish(let reason)), .failure(.threw(let reason)): return reason
            case .failure(let failure): return "\(failure)"
            }
        }
        #expect(outcome("{").hasPrefix("no JSON"))
        #expect(outcome("{}") == "neither finding nor insufficient")
        #expect(outcome("{\"insufficient\":[]}") == "insufficient must not be empty")
        #expect(outcome("{\"finding\":{\"score\":11}}") != "success")
        #expect(outcome(String(repeating: " ", count: 300_000)) == "it is too long")
        #expect(outcome("", true) == "another gateway's worker failed")
        #expect(outcome(String(repeating: "x", count: 9_000), true).count == 512)
    }

    @Test("Figures that are too long for Redis are refused, with what to do")
    func tooLong() async throws {
        var figures = Self.figures
        let summary = String(repeating: "x", count: 60_000)
        figures.articles = (0..<80).map { number in
            NewsArticle(
                title: "\(number)", summary: summary, publisher: "s", url: nil, publishedAt: figures.moment,
                symbols: [])
        }
        let exchange = try exchange()
        guard case .refused(let reason) = await Self.failure(exchange, figures) else {
            Issue.record("not refused")
            return
        }
        #expect(reason.hasSuffix("switch the risk workers of this one on"))
        #expect(try server.run("EXISTS", "fiml:tasks:risk").number == 0)
        exchange.stop()
    }
}
