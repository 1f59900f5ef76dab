import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// An endpoint's reader with an answer that it can read, its figures' type erased: it returns what is wrong
/// with the figures.
struct PromiseCheck: CustomTestStringConvertible, Sendable {
    let name: String
    let body: String
    let violations: @Sendable ([UInt8]) throws -> [String]
    let overHTTP: AskedOverHTTP?

    var testDescription: String { name }

    init<Figures>(
        _ name: String, _ body: String, _ endpoint: Endpoint<Figures>?,
        _ check: @escaping @Sendable (Figures) -> [String]
    ) {
        self.name = name
        self.body = body
        overHTTP = endpoint.map { AskedOverHTTP(name, $0, body) { check($0).isEmpty } }
        violations = { bytes in
            guard let endpoint else { return ["no endpoint"] }
            return check(try endpoint.decode(bytes).figures)
        }
    }

    /// Every reader of equities, companies, economies, news and options that reads JSON.
    static let all: [PromiseCheck] = {
        let apple = CompanyAnswers.apple
        let (key, day, minute) = ("k", BarInterval.day, BarInterval.minute)
        return [
            .init("Yahoo.bars", YahooFixtures.chart, Yahoo.bars(of: apple, every: day, limit: 9), ofBars),
            .init(
                "Yahoo.bars split", YahooFixtures.splitChart(closes: [499, 129, 134]),
                Yahoo.bars(of: apple, every: minute, limit: 9), ofBars),
            .init("Yahoo.quote", YahooFixtures.chart, Yahoo.quote(of: apple), ofQuote),
            .init(
                "Yahoo.earnings", YahooFixtures.earnings, Yahoo.earnings(of: apple),
                ofEarnings),
            .init(
                "Yahoo.fundamentals", YahooFixtures.fundamentals,
                Yahoo.fundamentals(of: apple), ofFundamentals),
            .init(
                "Yahoo.optionChain", YahooFixtures.options,
                Yahoo.optionChain(of: apple), ofOptions),
            .init("Yahoo.news", YahooFixtures.news, Yahoo.news(about: apple, limit: 5), ofNews),
            .init(
                "AlphaVantage.bars day", AlphaVantageFixtures.daily,
                AlphaVantage.bars(of: apple, every: day, limit: 9, key: key), ofBars),
            .init(
                "AlphaVantage.bars minute", AlphaVantageFixtures.minutes,
                AlphaVantage.bars(of: apple, every: minute, limit: 9, key: key), ofBars),
            .init(
                "AlphaVantage.earnings", AlphaVantageFixtures.earnings,
                AlphaVantage.earnings(of: apple, key: key), ofEarnings),
            .init(
                "AlphaVantage.fundamentals", AlphaVantageFixtures.overview,
                AlphaVantage.fundamentals(of: apple, key: key), ofFundamentals),
            .init(
                "AlphaVantage.observations", AlphaVantageFixtures.economy,
                AlphaVantage.observations(of: .unemployment, key: key), ofObservations),
            .init(
                "AlphaVantage.news", AlphaVantageFixtures.news,
                AlphaVantage.news(about: apple, limit: 5, key: key), ofNews),
        ] + others(apple, key)
    }()

    private static func others(_ apple: Asset, _ key: String) -> [PromiseCheck] {
        [
            .init("Finnhub.quote", FinnhubFixtures.quote, Finnhub.quote(of: apple, key: key), ofQuote),
            .init(
                "Finnhub.earnings", FinnhubFixtures.earnings, Finnhub.earnings(of: apple, key: key),
                ofEarnings),
            .init(
                "Finnhub.news", FinnhubFixtures.news, Finnhub.news(about: apple, limit: 5, key: key), ofNews),
            .init("FMP.bars", FMPFixtures.days, FMP.bars(of: apple, every: .day, limit: 9, key: key), ofBars),
            .init(
                "FMP.fundamentals", FMPFixtures.statements, FMP.fundamentals(of: apple, key: key),
                ofFundamentals),
            .init(
                "Polygon.bars", PolygonFixtures.days,
                Polygon.bars(of: apple, every: .day, limit: 9, key: key),
                ofBars),
            .init(
                "Polygon.news", PolygonFixtures.news, Polygon.news(about: apple, limit: 5, key: key), ofNews),
            .init(
                "Polygon.optionChain", PolygonFixtures.options, Polygon.optionChain(of: apple, key: key),
                ofOptions),
            .init(
                "Tiingo.bars", TiingoFixtures.days, Tiingo.bars(of: apple, every: .day, limit: 9, key: key),
                ofBars),
            .init("Tiingo.news", TiingoFixtures.news, Tiingo.news(about: apple, limit: 5, key: key), ofNews),
            .init("SEC.fundamentals", SECFixtures.facts, SEC.fundamentals(of: apple), ofFundamentals),
            .init(
                "FRED.observations", FREDFixtures.observations,
                FRED.observations(of: .unemployment, key: key),
                ofObservations),
            .init(
                "NewsAPI.news", NewsAPIFixtures.news, NewsAPI.news(about: apple, limit: 5, key: key), ofNews),
            .init("Cboe.optionChain", CboeFixtures.chain, Cboe.optionChain(of: apple), ofOptions),
        ]
    }
}

// What the types of the data needs promise. Each function names the promises that figures break.

private func broken(_ promises: KeyValuePairs<String, Bool>) -> [String] {
    promises.filter { !$0.value }.map(\.key)
}

private func isPrice(_ number: Double) -> Bool { number > 0 && number.isFinite }

private func isAmount(_ number: Double?) -> Bool { number.map { $0 >= 0 && $0.isFinite } ?? true }

private func isFinite(_ number: Double?) -> Bool { number?.isFinite ?? true }

private func isBelievable(_ moment: Timestamp) -> Bool { AnswerReader.moments.contains(moment) }

private func areAscending(_ moments: [Timestamp]) -> Bool {
    zip(moments, moments.dropFirst()).allSatisfy { $0 < $1 }
}

@Sendable private func ofBars(_ bars: [Bar]) -> [String] {
    broken([
        "not empty": !bars.isEmpty, "oldest first": areAscending(bars.map(\.opensAt)),
        "prices": bars.allSatisfy {
            isPrice($0.open) && isPrice($0.high) && isPrice($0.low) && isPrice($0.close)
        },
        "high over low": bars.allSatisfy { $0.high >= $0.low },
        "volume": bars.allSatisfy { isAmount($0.volume) },
        "closes later": bars.allSatisfy { $0.closesAt > $0.opensAt },
    ])
}

@Sendable private func ofQuote(_ quote: Quote) -> [String] {
    broken(["price": isPrice(quote.price), "moment": isBelievable(quote.observedAt)])
}

@Sendable private func ofEarnings(_ reports: [EarningsReport]) -> [String] {
    broken([
        "not empty": !reports.isEmpty, "oldest first": areAscending(reports.map(\.quarterEnd)),
        "finite": reports.allSatisfy {
            $0.actualEPS.isFinite && isFinite($0.estimatedEPS) && isFinite($0.revenue)
        },
        "reported later": reports.allSatisfy { $0.reportedAt ?? $0.quarterEnd >= $0.quarterEnd },
    ])
}

@Sendable private func ofFundamentals(_ figures: Fundamentals) -> [String] {
    let numbers = [
        figures.priceToEarnings, figures.priceToBook, figures.earningsPerShare, figures.returnOnEquity,
        figures.returnOnAssets, figures.debtToEquity, figures.revenueGrowth, figures.profitMargin,
    ]
    return broken([
        "something": figures != Fundamentals(), "finite": numbers.allSatisfy(isFinite),
        "market cap": isAmount(figures.marketCap), "moment": figures.asOf.map(isBelievable) ?? true,
    ])
}

@Sendable private func ofObservations(_ observations: [MacroObservation]) -> [String] {
    broken([
        "not empty": !observations.isEmpty, "oldest first": areAscending(observations.map(\.period)),
        "finite": observations.allSatisfy { $0.value.isFinite },
    ])
}

@Sendable private func ofNews(_ articles: [NewsArticle]) -> [String] {
    broken([
        "not empty": !articles.isEmpty, "limit": articles.count <= 5,
        "newest first": articles.map(\.publishedAt) == articles.map(\.publishedAt).sorted(by: >),
        "titles": articles.allSatisfy { (1...500).contains($0.title.count) },
        "addresses": articles.allSatisfy { $0.url?.hasPrefix("http") ?? true },
        "symbols": articles.allSatisfy { $0.symbols.allSatisfy(Asset.isSymbol) },
        "sentiment": articles.allSatisfy { (-1...1).contains($0.sentiment ?? 0) },
    ])
}

@Sendable private func ofOptions(_ chain: OptionChain) -> [String] {
    broken([
        "not empty": !chain.contracts.isEmpty, "moment": isBelievable(chain.observedAt),
        "price": chain.underlyingPrice.map(isPrice) ?? true,
        "strikes": chain.contracts.allSatisfy { isPrice($0.strike) },
        "amounts": chain.contracts.allSatisfy {
            isAmount($0.bid) && isAmount($0.ask) && isAmount($0.last) && isAmount($0.volume)
                && isAmount($0.openInterest) && isAmount($0.impliedVolatility)
        },
        "expiry": chain.contracts.allSatisfy { isBelievable($0.expiresOn) },
    ])
}
