/// The eight watchdogs by the names that settings, metrics, filters and events use.
///
/// Three of them emit an event type of another name: `funding_rate` emits `funding_spike`,
/// `correlation_breakdown` emits `correlation_break`, and `price_anomaly` may emit `flash_crash`.
public enum WatchdogName: String, CaseIterable, JSONWritable, Sendable {
    case earningsAnomaly = "earnings_anomaly"
    case unusualVolume = "unusual_volume"
    case whaleMovement = "whale_movement"
    case fundingRate = "funding_rate"
    case liquidityDrop = "liquidity_drop"
    case correlationBreakdown = "correlation_breakdown"
    case exchangeOutage = "exchange_outage"
    case priceAnomaly = "price_anomaly"
}
