import Configuration
import FIMLCore
import FIMLWatchdogs
import LinuxSystem
import MarketData
import Observability

/// The watchdogs at work: the manager with those that are configured, their events into the stream, their
/// health and figures out to everybody.
struct WatchdogService: WatchdogObserver {
    private let state: GatewayState
    private let market: ReplayMarket

    init(_ state: GatewayState, _ market: ReplayMarket) {
        self.state = state
        self.market = market
    }

    /// Watches until the task is cancelled.
    func run() async {
        let settings = state.settings.watchdogs
        let manager = WatchdogManager(
            .init(isEnabled: settings.isEnabled), watchdogs: watchdogs(settings), clock: market,
            observer: self
        ) { [state] events in
            guard settings.eventStreamIsEnabled else { return }
            // Loops that are behind are waited for: a detected event is not lost. Only this watchdog waits.
            while state.publisher.publish(events) == nil {
                guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
            }
        }
        await manager.start()
        while !Task.isCancelled {
            let health = await manager.health()
            show(health)
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { break }
        }
        await manager.stop()
    }

    private func watchdogs(_ settings: Settings.Watchdogs) -> [any Watchdog] {
        let volume = settings.unusualVolume
        let price = settings.priceAnomaly
        let funding = settings.fundingRate
        return [
            UnusualVolumeWatchdog(
                .init(
                    schedule: schedule(volume.isEnabled, volume.checkInterval),
                    multiplier: volume.multiplier),
                source: market),
            PriceAnomalyWatchdog(
                .init(
                    schedule: schedule(price.isEnabled, price.checkInterval),
                    thresholdPct: price.thresholdPct,
                    windowSeconds: price.window.components.seconds), source: market),
            FundingRateWatchdog(
                .init(
                    schedule: schedule(funding.isEnabled, funding.checkInterval),
                    thresholdPct: funding.thresholdPct),
                source: market),
        ]
    }

    private func schedule(_ isEnabled: Bool, _ interval: Duration) -> WatchdogSchedule {
        WatchdogSchedule(isEnabled: isEnabled, intervalSeconds: interval.components.seconds)
    }

    private func show(_ health: WatchdogHealthSummary) {
        state.watchdogHealth.withLock { $0 = health }
        for watchdog in health.watchdogs {
            let name = watchdog.name.rawValue
            state.metrics.watchdogHealth[name].set(watchdog.status == .healthy ? 1 : 0)
            // A check that found nothing fresh to judge had no input.
            if watchdog.judgedInLastCheck > 0, let lastCheck = watchdog.lastCheck {
                state.metrics.watchdogLastInput[name].set(Int(clamping: lastCheck.milliseconds))
            }
        }
    }

    // MARK: - WatchdogObserver

    func checkEnded(_ watchdog: WatchdogName, succeeded: Bool, seconds: Double) {
        state.metrics.watchdogChecks[watchdog.rawValue, succeeded ? "success" : "failed"].increment()
        state.metrics.watchdogCheckTime[watchdog.rawValue].observe(.seconds(seconds))
    }

    func detected(_ watchdog: WatchdogName, severity: Severity) {
        state.metrics.watchdogEvents[watchdog.rawValue, severity.rawValue].increment()
    }
}
