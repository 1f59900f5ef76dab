import Configuration
import Dispatch
import FIMLCore
import FIMLWatchdogs
import Glibc
import LinuxSystem
import Locking
import MarketData

/// What one check of all eight watchdogs costs, measured in this process.
struct CheckCost: Sendable {
    /// Processor time of each watchdog, in nanoseconds.
    private(set) var processor: [WatchdogName: UInt64] = [:]
    /// How long all took, in nanoseconds.
    private(set) var elapsed: UInt64 = 0
    /// What was judged.
    private(set) var judgements = 0
    /// What of it fires.
    private(set) var anomalies = 0

    /// Of all watchdogs, in milliseconds.
    var processorMilliseconds: Double { Double(processor.values.reduce(0, +)) / 1e6 }

    /// The cost of each of so many checks over `assets` assets, after two that warm up.
    static func measure(assets: Int, checks: Int) throws(BenchmarkError) -> [CheckCost] {
        let market = WarmMarket(assets: assets, seed: 1)
        let settings = Settings().watchdogs
        let watchdogs = WatchdogSet.all(
            settings, assets: market.watched, market: MarketSources(market, exchanges: market))
        let costs = try waited { () async throws(BenchmarkError) in
            var costs: [CheckCost] = []
            for _ in 0..<checks + 2 { costs.append(try await check(watchdogs)) }
            return Array(costs.dropFirst(2))
        }
        // Seven judge every asset; transfers come on top.
        let least = 7 * assets + settings.exchangeOutage.exchanges.count
        guard costs.allSatisfy({ $0.judgements >= least }) else {
            throw BenchmarkError("\(costs.map(\.judgements).min() ?? 0) judgements came of at least \(least)")
        }
        return costs
    }

    private static func check(_ watchdogs: [any Watchdog]) async throws(BenchmarkError) -> CheckCost {
        let usage = ProcessUsage(process: getpid())
        var cost = CheckCost()
        let begin = monotonicNanoseconds()
        for watchdog in watchdogs {
            let before = try usage.processorNanoseconds()
            let judgements: [Judgement]
            do {
                judgements = try await watchdog.check(at: WarmMarket.moment)
            } catch {
                throw BenchmarkError("\(watchdog.name.rawValue): \(error)")
            }
            cost.processor[watchdog.name] = try usage.processorNanoseconds() - before
            cost.judgements += judgements.count
            cost.anomalies += judgements.filter { $0.anomaly != nil }.count
        }
        cost.elapsed = monotonicNanoseconds() - begin
        return cost
    }

    /// The value of `body`, for which this thread waits.
    private static func waited<Value: Sendable>(
        _ body: @escaping @Sendable () async throws(BenchmarkError) -> Value
    ) throws(BenchmarkError) -> Value {
        let result = Locked<Result<Value, BenchmarkError>?>(nil)
        let ended = DispatchSemaphore(value: 0)
        Task {
            do throws(BenchmarkError) {
                let value = try await body()
                result.withLock { $0 = .success(value) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
            ended.signal()
        }
        ended.wait()
        guard let result = result.withLock({ $0 }) else { throw BenchmarkError("nothing was measured") }
        return try result.get()
    }
}
