import FIMLCore
import MarketData

/// Financial Modeling Prep: days and income statements of US equities.
public enum FMP {
    /// Daily bars, adjusted for splits by FMP, oldest first.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int, key: String)
        -> Endpoint<[Bar]>?
    {
        guard interval == .day, let ticker = Ticker.us(asset) else { return nil }
        let days = ["timeseries", "\(CheckedBars.bounded(limit))"]
        return endpoint("/api/v3/historical-price-full/\(ticker)", [days], key) {
            answer throws(MarketDataError) in
            guard let list = answer["historical"]?.elements else {
                throw MarketDataError("the answer has no list historical")
            }
            var series = CheckedBars(every: .day)
            for (index, item) in list.enumerated() {
                let place = "historical[\(index)]"
                series.add(
                    series.reader.day(item["date"], at: "\(place).date"),
                    .init(
                        open: item["open"], high: item["high"], low: item["low"], close: item["close"],
                        volume: item["volume"]), at: place)
            }
            return try series.decoded(limit: limit)
        }
    }

    /// What the newest annual income statement says: earnings per share, profit margin, and growth of revenue
    /// over the year before.
    public static func fundamentals(of asset: Asset, key: String) -> Endpoint<Fundamentals>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        let query = [["limit", "5"], ["period", "annual"]]
        return endpoint("/api/v3/income-statement/\(ticker)", query, key) { answer throws(MarketDataError) in
            guard let list = answer.elements else { throw MarketDataError("the answer is no list of years") }
            var reader = AnswerReader()
            var years: [(place: String, figure: CompanyYear)] = []
            for (index, item) in list.enumerated() {
                let place = "[\(index)]"
                guard let end = reader.day(item["date"], at: "\(place).date") else { continue }
                var year = CompanyYear(end: end)
                year.earningsPerShare = reader.optional(item["epsdiluted"], at: "\(place).epsdiluted")
                year.revenue = reader.optional(item["revenue"], at: "\(place).revenue")
                year.netIncome = reader.optional(item["netIncome"], at: "\(place).netIncome")
                years.append((place, year))
            }
            let ordered = reader.chronological(years) { $0.end }
            guard let figures = CompanyYear.fundamentals(of: ordered) else {
                throw reader.nothingUsable("fundamentals")
            }
            return Decoded(figures, refused: reader.refused)
        }
    }

    private static func endpoint<Figures>(
        _ path: String, _ query: [[String]], _ key: String,
        read: @escaping @Sendable (JSONValue) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures> {
        Endpoint(.fmp, ProviderRequest(path, query: query + [["apikey", key]])) {
            body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let message = answer["Error Message"]?.text {
                throw MarketDataError("FMP says: \(message.prefix(200))")
            }
            return try read(answer)
        }
    }
}
