import FIMLCore
import MarketData

/// Whom to ask for what, in which order: who needs no key first, then those whose key is set. Who knows
/// nothing of an asset is not among them.
struct ProviderOrder: Sendable {
    /// Keys that are set.
    let keys: [ProviderName: String]

    /// Bars: exchanges by their turnover in dollars, then Yahoo, which knows most equities.
    func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> [Endpoint<[Bar]>] {
        [
            Binance.bars(of: asset, every: interval, limit: limit),
            CoinbaseExchange.bars(of: asset, every: interval, limit: limit),
            Kraken.bars(of: asset, every: interval, limit: limit),
            OKX.bars(of: asset, every: interval, limit: limit),
            Bybit.bars(of: asset, every: interval, limit: limit),
            Yahoo.bars(of: asset, every: interval, limit: limit),
            Stooq.bars(of: asset, every: interval, limit: limit),
            keyed(.tiingo) { Tiingo.bars(of: asset, every: interval, limit: limit, key: $0) },
            keyed(.polygon) { Polygon.bars(of: asset, every: interval, limit: limit, key: $0) },
            keyed(.fmp) { FMP.bars(of: asset, every: interval, limit: limit, key: $0) },
            keyed(.alphaVantage) { AlphaVantage.bars(of: asset, every: interval, limit: limit, key: $0) },
        ].compactMap(\.self)
    }

    /// Quotes. Alpha Vantage is not among them: its quotes tell the day only.
    func quote(of asset: Asset) -> [Endpoint<Quote>] {
        [
            Binance.quote(of: asset), CoinbaseExchange.quote(of: asset), Kraken.quote(of: asset),
            OKX.quote(of: asset), Bybit.quote(of: asset), Yahoo.quote(of: asset),
            keyed(.finnhub) { Finnhub.quote(of: asset, key: $0) },
        ].compactMap(\.self)
    }

    /// Order books, which only exchanges of crypto assets show to everyone. Coinbase first, as it tells its
    /// whole book: 1,000 levels of Bitcoin's at Binance reach some tenths of a percent, where a price has
    /// that many steps.
    func orderBook(of asset: Asset) -> [Endpoint<OrderBook>] {
        [
            CoinbaseExchange.orderBook(of: asset), Binance.orderBook(of: asset), Kraken.orderBook(of: asset),
            OKX.orderBook(of: asset), Bybit.orderBook(of: asset),
        ].compactMap(\.self)
    }

    /// How many levels of a side an answer has at most: a side of so many may have been cut off there.
    static let bookLevels: [ProviderName: Int] = [
        .coinbaseExchange: AnswerReader.levelLimit, .binance: 1_000, .kraken: 500, .okx: 400, .bybit: 500,
    ]

    /// Funding rates; of these all are asked.
    func fundingRate(of asset: Asset) -> [Endpoint<FundingRate>] {
        [BinanceFutures.fundingRate(of: asset), Bybit.fundingRate(of: asset), OKX.fundingRate(of: asset)]
            .compactMap(\.self)
    }

    /// Earnings; Finnhub allows 60 questions a minute, Alpha Vantage 25 a day.
    func earnings(of asset: Asset) -> [Endpoint<[EarningsReport]>] {
        [
            Yahoo.earnings(of: asset),
            keyed(.finnhub) { Finnhub.earnings(of: asset, key: $0) },
            keyed(.alphaVantage) { AlphaVantage.earnings(of: asset, key: $0) },
        ].compactMap(\.self)
    }

    /// Figures of companies.
    func fundamentals(of asset: Asset) -> [Endpoint<Fundamentals>] {
        [
            Yahoo.fundamentals(of: asset),
            SEC.fundamentals(of: asset),
            keyed(.alphaVantage) { AlphaVantage.fundamentals(of: asset, key: $0) },
            keyed(.fmp) { FMP.fundamentals(of: asset, key: $0) },
        ].compactMap(\.self)
    }

    /// Observations of an economy; all of these need a key.
    func observations(of indicator: MacroIndicator) -> [Endpoint<[MacroObservation]>] {
        [
            keyed(.fred) { FRED.observations(of: indicator, key: $0) },
            keyed(.alphaVantage) { AlphaVantage.observations(of: indicator, key: $0) },
        ].compactMap(\.self)
    }

    /// Articles.
    func news(about asset: Asset, limit: Int) -> [Endpoint<[NewsArticle]>] {
        [
            Yahoo.news(about: asset, limit: limit),
            keyed(.finnhub) { Finnhub.news(about: asset, limit: limit, key: $0) },
            keyed(.polygon) { Polygon.news(about: asset, limit: limit, key: $0) },
            keyed(.tiingo) { Tiingo.news(about: asset, limit: limit, key: $0) },
            keyed(.newsAPI) { NewsAPI.news(about: asset, limit: limit, key: $0) },
            keyed(.alphaVantage) { AlphaVantage.news(about: asset, limit: limit, key: $0) },
        ].compactMap(\.self)
    }

    /// Option chains.
    func optionChain(of asset: Asset) -> [Endpoint<OptionChain>] {
        [
            Cboe.optionChain(of: asset),
            Yahoo.optionChain(of: asset),
            keyed(.polygon) { Polygon.optionChain(of: asset, key: $0) },
        ].compactMap(\.self)
    }

    private func keyed<Figures>(_ name: ProviderName, _ endpoint: (String) -> Endpoint<Figures>?)
        -> Endpoint<Figures>?
    {
        keys[name].flatMap { $0.isEmpty ? nil : endpoint($0) }
    }
}
