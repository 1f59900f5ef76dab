import FIMLCore
import MarketData

/// Alpha Vantage: bars, companies, economy and news. All of it is one path and a `function`.
///
/// It answers 200 for errors too: a `Note` or `Information` where its limits are used up, an `Error Message`
/// for what it does not know. A figure that is missing is the text `None` or `-`.
public enum AlphaVantage {
    /// Bars of a US equity or fund, oldest first. Days are as traded: a split is a jump in them, for Alpha
    /// Vantage tells splits only to paying users. A minute's time is New York's.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int, key: String)
        -> Endpoint<[Bar]>?
    {
        guard let ticker = Ticker.us(asset) else { return nil }
        // Compact is the newest 100.
        var query = [["symbol", ticker], ["outputsize", limit <= 100 ? "compact" : "full"]]
        if interval == .minute { query.append(["interval", "1min"]) }
        let name = interval == .day ? "Time Series (Daily)" : "Time Series (1min)"
        let function = interval == .day ? "TIME_SERIES_DAILY" : "TIME_SERIES_INTRADAY"
        return endpoint(function, query, key) { answer throws(MarketDataError) in
            guard let rows = answer[name]?.members else { throw MarketDataError("the answer has no \(name)") }
            var series = CheckedBars(every: interval)
            // The names are the times, written so that they sort by time.
            for (time, row) in rows.sorted(by: { $0.key < $1.key }) {
                let place = "\(name)[\(time.prefix(20))]"
                let opensAt =
                    interval == .day
                    ? series.reader.day(.string(time), at: place)
                    : series.reader.moment(.string(time), .newYork, at: place)
                series.add(
                    opensAt,
                    .init(
                        open: row["1. open"], high: row["2. high"], low: row["3. low"],
                        close: row["4. close"], volume: row["5. volume"]), at: place)
            }
            return try series.decoded(limit: limit)
        }
    }

    /// The quarterly reports, oldest first, with the day of the report.
    public static func earnings(of asset: Asset, key: String) -> Endpoint<[EarningsReport]>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        return endpoint("EARNINGS", [["symbol", ticker]], key) { answer throws(MarketDataError) in
            guard let list = answer["quarterlyEarnings"]?.elements else {
                throw MarketDataError("the answer has no quarterlyEarnings")
            }
            var reader = AnswerReader()
            var reports: [(place: String, figure: EarningsReport)] = []
            for (index, item) in list.enumerated() {
                let place = "quarterlyEarnings[\(index)]"
                guard let quarter = reader.day(item["fiscalDateEnding"], at: "\(place).fiscalDateEnding"),
                    let actual = reader.number(item["reportedEPS"], at: "\(place).reportedEPS")
                else { continue }
                let report = EarningsReport(
                    quarterEnd: quarter,
                    reportedAt: reportDay(item["reportedDate"], after: quarter, at: place, &reader),
                    actualEPS: actual,
                    estimatedEPS: reader.optional(item["estimatedEPS"], at: "\(place).estimatedEPS"))
                reports.append((place, report))
            }
            let ordered = reader.chronological(reports) { $0.quarterEnd }
            return try reader.nonEmpty(ordered, "earnings")
        }
    }

    /// What Alpha Vantage knows of a company; not its debt. Growth is of the newest quarter over a year
    /// before.
    public static func fundamentals(of asset: Asset, key: String) -> Endpoint<Fundamentals>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        return endpoint("OVERVIEW", [["symbol", ticker]], key) { answer throws(MarketDataError) in
            var reader = AnswerReader()
            func optional(_ name: String) -> Double? { reader.optional(answer[name], at: name) }
            var figures = Fundamentals()
            figures.priceToEarnings = optional("PERatio")
            figures.priceToBook = optional("PriceToBookRatio")
            figures.earningsPerShare = optional("EPS")
            figures.returnOnEquity = optional("ReturnOnEquityTTM")
            figures.returnOnAssets = optional("ReturnOnAssetsTTM")
            figures.revenueGrowth = optional("QuarterlyRevenueGrowthYOY")
            figures.profitMargin = optional("ProfitMargin")
            figures.marketCap = reader.optionalPrice(
                answer["MarketCapitalization"], at: "MarketCapitalization")
            guard figures != Fundamentals() else { throw reader.nothingUsable("fundamentals") }
            if let quarter = answer["LatestQuarter"] {
                figures.asOf = reader.day(quarter, at: "LatestQuarter")
            }
            return Decoded(figures, refused: reader.refused)
        }
    }

    /// The observations of an indicator, oldest first. Real growth it has not: its real GDP is an amount, not
    /// adjusted for seasons, of which growth from quarter to quarter would be that of the seasons.
    public static func observations(of indicator: MacroIndicator, key: String) -> Endpoint<
        [MacroObservation]
    >? {
        let (function, query): (String, [[String]])
        switch indicator {
        case .interestRate: (function, query) = ("FEDERAL_FUNDS_RATE", [["interval", "monthly"]])
        case .consumerPrices: (function, query) = ("CPI", [["interval", "monthly"]])
        case .unemployment: (function, query) = ("UNEMPLOYMENT", [])
        case .realGrowth: return nil
        }
        return endpoint(function, query, key) { answer throws(MarketDataError) in
            try FRED.readObservations(answer["data"])
        }
    }

    /// The newest articles about an asset, newest first, with Alpha Vantage's judgement of each.
    public static func news(about asset: Asset, limit: Int, key: String) -> Endpoint<[NewsArticle]>? {
        let ticker =
            asset.assetType == .crypto
            ? Ticker.checked(asset.symbol).map { "CRYPTO:\($0)" } : Ticker.us(asset)
        guard let ticker else { return nil }
        let count = CheckedNews.bounded(limit)
        let query = [["tickers", ticker], ["sort", "LATEST"], ["limit", "\(count)"]]
        return endpoint("NEWS_SENTIMENT", query, key) { answer throws(MarketDataError) in
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(answer["feed"]) {
                news.add(
                    item, at: "feed[\(index)]", title: "title", summary: "summary", url: "url",
                    publisher: item["source"],
                    symbols: (item["ticker_sentiment"]?.elements ?? []).compactMap { $0["ticker"] },
                    sentiment: item["overall_sentiment_score"]
                ) { reader, place in
                    reader.moment(item["time_published"], .compact, at: "\(place).time_published")
                }
            }
            return try news.decoded(limit: count)
        }
    }

    /// The day of a report; nil where there is none, or where it lies before the end of its quarter.
    private static func reportDay(
        _ value: JSONValue?, after quarterEnd: Timestamp, at place: String, _ reader: inout AnswerReader
    ) -> Timestamp? {
        guard let value, value != .null, value.text != "None",
            let day = reader.day(value, at: "\(place).reportedDate")
        else { return nil }
        guard day >= quarterEnd else {
            reader.refuse("\(place).reportedDate", "is before the end of the quarter")
            return nil
        }
        return day
    }

    /// Only the words tell whether it was asked too often, or for what a free key does not see.
    private static func cause(of message: String, as name: String) -> MarketDataError.Cause {
        if name == "Error Message" { return .hasNone }
        let limits = ["rate limit", "call frequency", "per day", "per minute", "per second"]
        return limits.contains(where: message.lowercased().contains) ? .tooOften : .failure
    }

    private static func endpoint<Figures>(
        _ function: String, _ query: [[String]], _ key: String,
        read: @escaping @Sendable (JSONValue) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures> {
        let request = ProviderRequest("/query", query: [["function", function]] + query + [["apikey", key]])
        return Endpoint(.alphaVantage, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            for name in ["Error Message", "Note", "Information"] {
                if let message = answer[name]?.text {
                    throw MarketDataError(
                        "Alpha Vantage says: \(message.prefix(200))", cause: cause(of: message, as: name))
                }
            }
            return try read(answer)
        }
    }
}
