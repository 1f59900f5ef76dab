import FIMLCore
import Locking
import MarketData
import Testing

@testable import FIMLWatchdogs

@Suite("Watchdogs that fail, hang, are switched and restarted hold nobody back and tell nothing twice")
struct WatchdogControlTests {
    @Test("a check is tried three times, with a pause, before it fails")
    func tries() async throws {
        let tries = Locked(0)
        let manager = WatchdogManager(
            oneTry {
                $0.policy.tries = 3
                $0.policy.retryDelay = .zero
            },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    let isLast = tries.withLock { tries in
                        tries += 1
                        return tries == 3
                    }
                    if moment == at(0), isLast { return spike }
                    throw Failure()
                }
            ],
            clock: ScriptedClock(script: moments(0, 60)))
        await manager.start()
        await manager.finish()
        let metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect((metrics.checksPerformed, metrics.checksFailed) == (2, 1))
        #expect(tries.withLock { $0 } == 6)
    }

    @Test("a check that takes too long fails; while it hangs no second one is begun, until a restart")
    func timeLimit() async throws {
        let gate = Gate()
        let begun = Locked(0)
        let manager = WatchdogManager(
            oneTry { $0.policy.timeLimit = .milliseconds(20) },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    begun.withLock { $0 += 1 }
                    if moment == at(0) { await gate.pass() }
                    return nil
                }
            ],
            clock: ScriptedClock(script: moments(0, 60)))
        await manager.start()
        await manager.finish()
        var metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect((metrics.checksFailed, metrics.lastError) == (2, "the check before has not ended yet"))
        #expect(begun.withLock { $0 } == 1)
        #expect(await manager.restart(.fundingRate))
        await manager.stop()
        await manager.start()
        await manager.finish()
        metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect(metrics.lastError == "the check before has not ended yet")
        #expect(begun.withLock { $0 } == 2)
        await gate.open()
    }

    @Test("switched off, what fires ends and nothing is checked; switched on, it begins anew")
    func switching() async throws {
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0)), publish: { await collector.add($0) })
        await manager.start()
        await manager.finish()
        #expect(await manager.firing().map(\.type) == [.fundingSpike])
        #expect(await manager.enable(.fundingRate, false))
        #expect(await manager.metrics(of: .fundingRate)?.status == .disabled)
        #expect(await manager.firing() == [])
        #expect(await collector.events.map(\.status) == [.firing, .resolved])
        #expect(await collector.events.last?.metadata == ["reason": .string("watchdog_disabled")])
        #expect(await manager.enable(.whaleMovement, true) == false)
        #expect(await manager.restart(.whaleMovement) == false)
        await manager.stop()
        await manager.start()
        await manager.finish()
        #expect(await collector.events.count == 2)
        #expect(await manager.enable(.fundingRate, true))
        await manager.stop()
        await manager.start()
        await manager.finish()
        #expect(await collector.events.map(\.status) == [.firing, .resolved, .firing])
    }

    @Test("callbacks receive what passes their filter, until they are cancelled")
    func subscribers() async throws {
        let (seen, continuation) = AsyncStream<WatchdogEvent>.makeStream()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { _ in spike },
                ScriptedWatchdog(name: .unusualVolume) { _ in volume },
            ], clock: ScriptedClock(script: moments(0)))
        let subscription = await manager.subscribe(to: try EventFilter.parse(["severities": ["critical"]])) {
            continuation.yield($0)
        }
        #expect(await manager.status().activeSubscribers == 1)
        await manager.start()
        await manager.finish()
        var events = seen.makeAsyncIterator()
        #expect(await events.next()?.type == .unusualVolume)
        await subscription.cancel()
        #expect(await manager.status().activeSubscribers == 0)
    }

    @Test("a check that was under way when its watchdog was switched off counts for nothing")
    func switchedOffMeanwhile() async throws {
        let gate = Gate()
        let begun = Gate()
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { _ in
                    await begun.open()
                    await gate.pass()
                    return spike
                }
            ], clock: ScriptedClock(script: moments(0)), publish: { await collector.add($0) })
        await manager.start()
        await begun.pass()
        #expect(await manager.enable(.fundingRate, false))
        await gate.open()
        await manager.finish()
        #expect(await manager.firing() == [])
        #expect(await collector.events == [])
    }

    @Test("of a live market only the newest check waits, and a restart drops it")
    func liveQueue() async throws {
        let gate = Gate()
        let checked = Locked<[Timestamp]>([])
        let manager = WatchdogManager(
            oneTry { $0.policy.queuedChecks = 1 },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    checked.withLock { $0.append(moment) }
                    if moment == at(0) { await gate.pass() }
                    return nil
                },
                ScriptedWatchdog(name: .unusualVolume) { moment in
                    if moment == at(300) { await gate.open() }
                    return nil
                },
            ], clock: ScriptedClock(script: moments(0, 60, 120, 180, 240, 300)))
        await manager.start()
        await manager.finish()
        let metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect(checked.withLock { $0.last } == at(300))
        #expect(metrics.checksPerformed + metrics.checksSkipped == 6 && metrics.checksSkipped >= 3)
    }
}
