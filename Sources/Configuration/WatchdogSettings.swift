// What can be set of each watchdog. Initial values are FIML's.

extension Settings {
    /// Settings of `earnings_anomaly`.
    public struct EarningsAnomaly: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(300)
        /// Fires above this surprise either way, in percent of the estimate.
        public var thresholdPct = 10.0
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["AAPL", "MSFT", "GOOGL", "AMZN", "TSLA"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `unusual_volume`.
    public struct UnusualVolume: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(60)
        /// Fires above this multiple of the mean volume.
        public var multiplier = 3.0
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["AAPL", "MSFT", "GOOGL", "AMZN", "TSLA", "SPY", "QQQ"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `whale_movement`.
    public struct WhaleMovement: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(120)
        /// Fires above this value of a transfer, in US dollars.
        public var minUSD = 1_000_000.0
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["BTC", "ETH", "SOL", "USDT", "USDC"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `funding_rate`.
    public struct FundingRate: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(300)
        /// Fires above this mean rate either way, in percent per 8 hours.
        public var thresholdPct = 0.1
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["BTC", "ETH", "SOL"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `liquidity_drop`.
    public struct LiquidityDrop: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(180)
        /// Fires when the depth has fallen by more than this, in percent of its mean.
        public var thresholdPct = 50.0
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["BTC", "ETH", "SOL", "SPY", "QQQ"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `correlation_breakdown`.
    public struct CorrelationBreakdown: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(600)
        /// Fires above this change of the correlation either way, −1…1 being its range.
        public var threshold = 0.5
        /// Which assets are compared, by their symbols.
        public var pairs = [
            SymbolPair("BTC", "ETH"), SymbolPair("SPY", "QQQ"), SymbolPair("GLD", "TLT"),
            SymbolPair("BTC", "SPY"),
        ]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `exchange_outage`.
    public struct ExchangeOutage: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(60)
        /// Those that can be asked.
        static let known = ["binance", "bybit", "coinbase", "kraken", "okx"]
        /// Which exchanges are asked.
        public var exchanges = ["binance", "coinbase", "kraken"]

        /// FIML's defaults.
        public init() {}
    }

    /// Settings of `price_anomaly`.
    public struct PriceAnomaly: Hashable, Sendable {
        /// Whether the watchdog runs.
        public var isEnabled = true
        /// From one check to the next.
        public var checkInterval = Duration.seconds(30)
        /// Fires above this move either way, in percent.
        public var thresholdPct = 5.0
        /// The move is taken over this long.
        public var window = Duration.seconds(60)
        /// Which assets of a live market are watched, by their symbols; of a recorded one, all that it holds.
        public var symbols = ["BTC", "ETH", "SPY", "QQQ", "AAPL", "TSLA"]

        /// FIML's defaults.
        public init() {}
    }

    /// Two assets that are compared.
    public struct SymbolPair: Hashable, Sendable {
        /// The one named first.
        public var first: String
        /// The other.
        public var second: String

        /// A pair of symbols.
        public init(_ first: String, _ second: String) {
            self.first = first
            self.second = second
        }
    }
}
