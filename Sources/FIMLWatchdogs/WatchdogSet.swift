import Configuration
import FIMLCore
import MarketData

/// The eight watchdogs.
public enum WatchdogSet {
    /// The watchdog of that name on a market, as it is set.
    public static func watchdog(
        _ name: WatchdogName, _ settings: Settings.Watchdogs, assets: WatchedAssets,
        market: MarketSources
    ) -> any Watchdog {
        switch name {
        case .earningsAnomaly:
            EarningsAnomalyWatchdog(settings.earningsAnomaly, assets: assets.earnings, source: market.earnings)
        case .unusualVolume:
            UnusualVolumeWatchdog(settings.unusualVolume, assets: assets.volume, source: market.bars)
        case .whaleMovement:
            WhaleMovementWatchdog(settings.whaleMovement, assets: assets.transfers, source: market.transfers)
        case .fundingRate:
            FundingRateWatchdog(settings.fundingRate, assets: assets.funding, source: market.fundingRates)
        case .liquidityDrop:
            LiquidityDropWatchdog(settings.liquidityDrop, assets: assets.depth, source: market.depths)
        case .correlationBreakdown:
            CorrelationBreakdownWatchdog(
                settings.correlationBreakdown, pairs: assets.pairs, source: market.bars)
        case .exchangeOutage:
            ExchangeOutageWatchdog(settings.exchangeOutage, source: market.exchanges)
        case .priceAnomaly:
            PriceAnomalyWatchdog(settings.priceAnomaly, assets: assets.prices, source: market.quotes)
        }
    }

    /// All eight, in the order of their names' declaration.
    public static func all(
        _ settings: Settings.Watchdogs, assets: WatchedAssets, market: MarketSources
    ) -> [any Watchdog] {
        WatchdogName.allCases.map { watchdog($0, settings, assets: assets, market: market) }
    }
}
