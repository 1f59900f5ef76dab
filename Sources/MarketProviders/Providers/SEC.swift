import FIMLCore
import MarketData

/// EDGAR of the US Securities and Exchange Commission: what companies report under oath. It wants to know who
/// asks, by the field `User-Agent`.
public enum SEC {
    /// The numbers under which the companies that are watched by default file.
    static let filers = [
        "AAPL": "0000320193", "AMZN": "0001018724", "GOOGL": "0001652044", "MSFT": "0000789019",
        "TSLA": "0001318605",
    ]

    /// Revenue has had several names; a company uses one or another, and changes.
    static let revenueConcepts = [
        "RevenueFromContractWithCustomerExcludingAssessedTax", "Revenues", "SalesRevenueNet",
    ]

    /// What the newest annual report (form 10-K) says: diluted earnings per share, profit margin, returns on
    /// equity and assets, growth of revenue. Nothing that needs a price.
    public static func fundamentals(of asset: Asset) -> Endpoint<Fundamentals>? {
        guard let ticker = Ticker.us(asset), let filer = filers[ticker] else { return nil }
        let request = ProviderRequest("/api/xbrl/companyfacts/CIK\(filer).json")
        return Endpoint(.sec, request) { body throws(MarketDataError) in
            var reader = AnswerReader()
            let years = readYears(try AnswerReader.json(body), &reader)
            guard let figures = CompanyYear.fundamentals(of: years) else {
                throw reader.nothingUsable("fundamentals")
            }
            return Decoded(figures, refused: reader.refused)
        }
    }

    /// The fiscal years of which a company has reported its net income, oldest first.
    static func readYears(_ answer: JSONValue, _ reader: inout AnswerReader) -> [CompanyYear] {
        let facts = answer["facts"]?["us-gaap"]
        func concept(_ name: String, _ unit: String = "USD") -> [Timestamp: Double] {
            annual(facts?[name]?["units"]?[unit], name, &reader)
        }
        let netIncome = concept("NetIncomeLoss")
        let perShare = concept("EarningsPerShareDiluted", "USD/shares")
        let equity = concept("StockholdersEquity")
        let assets = concept("Assets")
        let revenues = revenueConcepts.map { concept($0) }
        return Set(netIncome.keys).union(perShare.keys).sorted().map { end in
            var year = CompanyYear(end: end)
            year.earningsPerShare = perShare[end]
            year.revenue = revenues.lazy.compactMap { $0[end] }.first
            year.netIncome = netIncome[end]
            year.equity = equity[end]
            year.assets = assets[end]
            return year
        }
    }

    /// The values of whole years, or at their ends, by the end. A later filing corrects an earlier one.
    private static func annual(_ list: JSONValue?, _ name: String, _ reader: inout AnswerReader)
        -> [Timestamp: Double]
    {
        var values: [Timestamp: (filed: Timestamp, value: Double)] = [:]
        for (index, item) in (list?.elements ?? []).enumerated() {
            guard let form = item["form"]?.text, form == "10-K" || form == "10-K/A" else { continue }
            let place = "\(name)[\(index)]"
            guard let end = reader.day(item["end"], at: "\(place).end"),
                let filed = reader.day(item["filed"], at: "\(place).filed"),
                let value = reader.number(item["val"], at: "\(place).val")
            else { continue }
            // What is of a moment has no start; an annual report tells quarters too.
            if let first = item["start"] {
                guard let start = reader.day(first, at: "\(place).start") else { continue }
                let days = (end.milliseconds - start.milliseconds) / Timestamp.dayMilliseconds
                guard (350...380).contains(days) else { continue }
            }
            if let known = values[end], known.filed > filed { continue }
            values[end] = (filed, value)
        }
        return values.mapValues(\.value)
    }
}
