import FIMLCore
import MarketData

/// Yahoo Finance: bars, quotes and news without a key; figures of companies and options with a cookie and the
/// crumb that belongs to it. Nothing of it is documented by Yahoo; shapes are as its site receives them.
public enum Yahoo {
    /// How far apart quotes are: the site shows one a minute.
    static let quoteSeconds: Int64 = 60

    /// Bars of a US equity or fund, an index or a cryptocurrency in the asset's currency.
    ///
    /// Prices are not adjusted for dividends; Yahoo itself puts them into today's shares, and where it has
    /// not done so yet, the splits in the answer are applied. A minute without trade has no bar.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let request = ProviderRequest(
            "/v8/finance/chart/\(symbol)",
            query: [
                ["interval", interval == .day ? "1d" : "1m"],
                ["range", range(of: limit, interval, everyDay: asset.assetType == .crypto)],
                ["events", "split"], ["includePrePost", "false"],
            ])
        return Endpoint(.yahoo, request) { body throws(MarketDataError) in
            try readBars(body, every: interval, limit: limit)
        }
    }

    /// The last price of the regular session, from the chart's head, which needs no crumb.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let request = ProviderRequest(
            "/v8/finance/chart/\(symbol)", query: [["interval", "1d"], ["range", "1d"]])
        return Endpoint(.yahoo, request) { body throws(MarketDataError) in
            let meta = try result(of: body, in: "chart")["meta"]
            var reader = AnswerReader()
            guard let quote = readQuote(meta, at: "meta", &reader) else {
                throw reader.nothingUsable("quote")
            }
            return Decoded(quote, refused: reader.refused)
        }
    }

    /// The newest articles about an asset, newest first.
    public static func news(about asset: Asset, limit: Int) -> Endpoint<[NewsArticle]>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let count = CheckedNews.bounded(limit)
        let request = ProviderRequest(
            "/v1/finance/search",
            query: [
                ["q", symbol], ["newsCount", "\(count)"], ["quotesCount", "0"],
                ["enableFuzzyQuery", "false"],
            ])
        return Endpoint(.yahoo, request) { body throws(MarketDataError) in
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(AnswerReader.json(body)["news"]) {
                news.add(
                    item, at: "news[\(index)]", title: "title", summary: nil, url: "link",
                    publisher: item["publisher"], symbols: item["relatedTickers"]?.elements ?? []
                ) { reader, place in
                    reader.seconds(item["providerPublishTime"], at: "\(place).providerPublishTime")
                }
            }
            return try news.decoded(limit: count)
        }
    }

    /// The asset's symbol as Yahoo writes it: `AAPL`, `BRK-B`, `BTC-USD`, `%5EGSPC`; safe in a path.
    static func symbol(of asset: Asset) -> String? {
        switch asset.assetType {
        case .equity, .etf: return Ticker.us(asset).map(Ticker.hyphenated)
        case .crypto:
            guard let base = Ticker.checked(asset.symbol), let currency = Ticker.checked(asset.currency)
            else { return nil }
            return "\(base)-\(currency)"
        case .index:
            let name = asset.symbol.first == "^" ? String(asset.symbol.dropFirst()) : asset.symbol
            return Ticker.checked(name).map { "%5E\($0)" }
        case .forex, .commodity, .option, .future: return nil
        }
    }

    /// The first result of an answer, or what Yahoo says instead of one.
    static func result(of body: [UInt8], in envelope: String) throws(MarketDataError) -> JSONValue {
        let json = try AnswerReader.json(body)
        // What does not come as far as the envelope, such as a crumb that is wrong, is said in another.
        try throwError(of: json["finance"])
        let answer = json[envelope]
        try throwError(of: answer)
        guard let result = answer?["result"]?.elements?.first else {
            throw MarketDataError("the answer has no \(envelope).result")
        }
        return result
    }

    private static func throwError(of answer: JSONValue?) throws(MarketDataError) {
        if let error = answer?["error"], error != .null {
            let words = error["description"]?.text ?? "an error"
            let cause: MarketDataError.Cause =
                words.contains("Invalid Crumb")
                ? .unauthorized : error["code"] == "Not Found" ? .hasNone : .failure
            throw MarketDataError("Yahoo says: \(words.prefix(200))", cause: cause)
        }
    }

    /// A number as it comes with `formatted=false`, or inside of `{"raw": …, "fmt": …}`.
    static func raw(_ value: JSONValue?) -> JSONValue? { value?["raw"] ?? value }

    static func readQuote(_ item: JSONValue?, at place: String, _ reader: inout AnswerReader) -> Quote? {
        guard
            let price = reader.price(item?["regularMarketPrice"], at: "\(place).regularMarketPrice"),
            let time = reader.seconds(item?["regularMarketTime"], at: "\(place).regularMarketTime")
        else { return nil }
        return Quote(observedAt: time, price: price, intervalSeconds: quoteSeconds)
    }

    private static func readBars(_ body: [UInt8], every interval: BarInterval, limit: Int)
        throws(MarketDataError) -> Decoded<[Bar]>
    {
        let result = try result(of: body, in: "chart")
        var series = CheckedBars(every: interval)
        // A day belongs to the exchange's calendar; an offset that is no zone's is ignored.
        let offset =
            result["meta"]?["gmtoffset"]?.int64.flatMap { (-86_400...86_400).contains($0) ? $0 : nil } ?? 0
        func local(_ moment: Timestamp?) -> Timestamp? {
            interval == .day
                ? moment.map { Timestamp(milliseconds: $0.milliseconds + offset * 1_000) } : moment
        }
        let columns = result["indicators"]?["quote"]?.elements?.first
        func column(_ name: String) -> [JSONValue] { columns?[name]?.elements ?? [] }
        let (open, high, low) = (column("open"), column("high"), column("low"))
        let (close, volume) = (column("close"), column("volume"))
        for (index, seconds) in (result["timestamp"]?.elements ?? []).enumerated() {
            func cell(_ column: [JSONValue]) -> JSONValue? { index < column.count ? column[index] : nil }
            let figures = CheckedBars.Figures(
                open: cell(open), high: cell(high), low: cell(low), close: cell(close), volume: cell(volume))
            if figures.isBlank { continue }
            let opensAt = series.reader.seconds(seconds, at: "timestamp[\(index)]")
            series.add(local(opensAt), figures, at: "quote[\(index)]")
        }
        for (name, split) in (result["events"]?["splits"]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
            let place = "splits.\(name.prefix(16))"
            guard let date = series.reader.seconds(split["date"], at: "\(place).date"),
                let shares = series.reader.price(split["numerator"], at: "\(place).numerator"),
                let before = series.reader.price(split["denominator"], at: "\(place).denominator"),
                let moment = local(date)
            else { continue }
            series.addSplit(from: moment, ratio: shares / before, at: place)
        }
        return try series.decoded(limit: limit)
    }

    /// The shortest range that holds so many bars. Of minutes there are 390 in a session and at most the last
    /// days; of days 21 in a month of trade, of which holidays are taken off.
    private static func range(of limit: Int, _ interval: BarInterval, everyDay: Bool) -> String {
        guard interval == .day else { return limit <= 30 ? "1d" : "5d" }
        let limit = CheckedBars.bounded(limit)
        let days = everyDay ? limit * 2 / 3 : limit
        return switch days {
        case ...18: "1mo"
        case ...58: "3mo"
        case ...120: "6mo"
        case ...245: "1y"
        case ...495: "2y"
        case ...1_240: "5y"
        case ...2_500: "10y"
        default: "max"
        }
    }
}
