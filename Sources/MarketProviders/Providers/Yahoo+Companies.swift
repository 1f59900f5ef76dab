import FIMLCore
import MarketData

// What Yahoo answers only with a cookie and its crumb, which `YahooSession` adds.

extension Yahoo {
    /// The reports of the last four quarters. Yahoo does not say when they were reported; their revenue it
    /// gives by calendar quarter, which counts where the earnings of that quarter are the same.
    public static func earnings(of asset: Asset)
        -> Endpoint<[EarningsReport]>?
    {
        summary(of: asset, modules: "earningsHistory,earnings") {
            result, reader throws(MarketDataError) in
            guard let history = result["earningsHistory"]?["history"]?.elements else {
                throw MarketDataError("the answer has no earningsHistory.history")
            }
            var reports: [(place: String, figure: EarningsReport)] = []
            for (index, item) in history.enumerated() {
                let place = "history[\(index)]"
                guard let quarter = reader.seconds(raw(item["quarter"]), at: "\(place).quarter"),
                    let actual = reader.number(raw(item["epsActual"]), at: "\(place).epsActual")
                else { continue }
                let report = EarningsReport(
                    quarterEnd: quarter.dayStart, actualEPS: actual,
                    estimatedEPS: reader.optional(raw(item["epsEstimate"]), at: "\(place).epsEstimate"),
                    revenue: revenue(of: quarter, earning: actual, in: result["earnings"], &reader))
                reports.append((place, report))
            }
            let ordered = reader.chronological(reports) { $0.quarterEnd }
            return try reader.nonEmpty(ordered, "earnings")
        }
    }

    /// What Yahoo knows of a company.
    public static func fundamentals(of asset: Asset) -> Endpoint<
        Fundamentals
    >? {
        summary(of: asset, modules: "defaultKeyStatistics,financialData,summaryDetail") {
            result, reader throws(MarketDataError) in
            var figures = Fundamentals()
            func optional(_ module: String, _ name: String) -> Double? {
                reader.optional(raw(result[module]?[name]), at: "\(module).\(name)")
            }
            figures.priceToEarnings = optional("summaryDetail", "trailingPE")
            figures.priceToBook = optional("defaultKeyStatistics", "priceToBook")
            figures.earningsPerShare = optional("defaultKeyStatistics", "trailingEps")
            figures.returnOnEquity = optional("financialData", "returnOnEquity")
            figures.returnOnAssets = optional("financialData", "returnOnAssets")
            // Yahoo gives this one in percent, the others as fractions.
            figures.debtToEquity = optional("financialData", "debtToEquity").map { $0 / 100 }
            figures.revenueGrowth = optional("financialData", "revenueGrowth")
            figures.profitMargin =
                optional("financialData", "profitMargins")
                ?? optional("defaultKeyStatistics", "profitMargins")
            figures.marketCap = reader.optionalPrice(
                raw(result["summaryDetail"]?["marketCap"]), at: "summaryDetail.marketCap")
            guard figures != Fundamentals() else { throw reader.nothingUsable("fundamentals") }
            if let quarter = raw(result["defaultKeyStatistics"]?["mostRecentQuarter"]) {
                figures.asOf = reader.seconds(quarter, at: "defaultKeyStatistics.mostRecentQuarter")
            }
            return Decoded(figures, refused: reader.refused)
        }
    }

    /// The options of the nearest day of expiry; of others Yahoo answers only one at a time.
    public static func optionChain(of asset: Asset) -> Endpoint<OptionChain>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        let request = ProviderRequest(
            "/v7/finance/options/\(Ticker.hyphenated(ticker))",
            query: [["formatted", "false"]])
        return Endpoint(.yahoo, request) { body throws(MarketDataError) in
            let result = try result(of: body, in: "optionChain")
            var options = CheckedOptions()
            let price = options.reader.optionalPrice(
                result["quote"]?["regularMarketPrice"], at: "quote.regularMarketPrice")
            guard
                let moment = options.reader.seconds(
                    result["quote"]?["regularMarketTime"], at: "quote.regularMarketTime")
            else { throw options.reader.nothingUsable("moment") }
            for series in result["options"]?.elements ?? [] {
                readContracts(series["calls"], .call, "calls", &options)
                readContracts(series["puts"], .put, "puts", &options)
            }
            return try options.decoded(at: moment, underlyingPrice: price)
        }
    }

    private static func readContracts(
        _ list: JSONValue?, _ kind: OptionContract.Kind, _ name: String, _ options: inout CheckedOptions
    ) {
        for (index, item) in (list?.elements ?? []).enumerated() {
            let place = "\(name)[\(index)]"
            let expiry = options.reader.seconds(raw(item["expiration"]), at: "\(place).expiration")
            options.add(
                symbol: item["contractSymbol"], kind: kind, strike: raw(item["strike"]), expiresOn: expiry,
                .init(
                    bid: raw(item["bid"]), ask: raw(item["ask"]), last: raw(item["lastPrice"]),
                    volume: raw(item["volume"]), openInterest: raw(item["openInterest"]),
                    impliedVolatility: raw(item["impliedVolatility"])),
                at: place)
        }
    }

    private static func summary<Figures>(
        of asset: Asset, modules: String,
        read: @escaping @Sendable (JSONValue, inout AnswerReader) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        let request = ProviderRequest(
            "/v10/finance/quoteSummary/\(Ticker.hyphenated(ticker))",
            query: [["formatted", "false"], ["modules", modules]]
        )
        return Endpoint(.yahoo, request) { body throws(MarketDataError) in
            var reader = AnswerReader()
            return try read(try result(of: body, in: "quoteSummary"), &reader)
        }
    }

    /// The revenue of a calendar quarter (`1Q2024`), if the earnings per share of that quarter are the same.
    private static func revenue(
        of quarterEnd: Timestamp, earning actual: Double, in earnings: JSONValue?,
        _ reader: inout AnswerReader
    ) -> Double? {
        guard let month = Int(quarterEnd.rfc3339.dropFirst(5).prefix(2)) else { return nil }
        let label = "\((month + 2) / 3)Q\(quarterEnd.rfc3339.prefix(4))"
        func row(_ chart: String) -> JSONValue? {
            earnings?[chart]?["quarterly"]?.elements?.first { $0["date"]?.text == label }
        }
        guard let reported = raw(row("earningsChart")?["actual"])?.double, reported == actual else {
            return nil
        }
        return reader.optional(
            raw(row("financialsChart")?["revenue"]), at: "financialsChart.\(label).revenue")
    }
}
