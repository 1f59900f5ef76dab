/// What happened.
public enum EventType: String, CaseIterable, JSONWritable, Sendable {
    case earningsAnomaly = "earnings_anomaly"
    case unusualVolume = "unusual_volume"
    case whaleMovement = "whale_movement"
    case fundingSpike = "funding_spike"
    case liquidityDrop = "liquidity_drop"
    case correlationBreak = "correlation_break"
    case exchangeOutage = "exchange_outage"
    case priceAnomaly = "price_anomaly"
    case flashCrash = "flash_crash"
    case arbitrageOpportunity = "arbitrage_opportunity"
    /// A watchdog that cannot do its work, told by itself as an event.
    case watchdogHealth = "watchdog_health"
}
