import FIMLCore

// Rows of companies, economies, news and options: what an analysis needs beside prices. They are of no
// moment of the replay, so an analysis is given the newest.

extension MarketCSV {
    /// More articles of a symbol are refused.
    static let maxArticles = 10_000
    /// More contracts of a chain are refused; the longest, of index options, has about 25,000.
    static let maxContracts = 50_000

    func takeFundamentals(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let knownAt = try row.knownAt(timeColumn)
        var figures = Fundamentals()
        if row.has("period_end") {
            let end = try row.day("period_end")
            guard end < knownAt else { throw row.problem("period_end", "YYYY-MM-DD before the time") }
            figures.asOf = end
        }
        let empty = figures
        // Ratios have no bounds of their own: a company may owe a thousand times what it owns.
        func ratio(_ column: String) throws(CSVProblem) -> Double? {
            try row.numberIfGiven(column, -1e9...1e9, "a number from -1e9 to 1e9")
        }
        figures.priceToEarnings = try ratio("price_to_earnings")
        figures.priceToBook = try ratio("price_to_book")
        figures.earningsPerShare = try ratio("earnings_per_share")
        figures.returnOnEquity = try ratio("return_on_equity")
        figures.returnOnAssets = try ratio("return_on_assets")
        figures.debtToEquity = try ratio("debt_to_equity")
        figures.revenueGrowth = try ratio("revenue_growth")
        figures.profitMargin = try ratio("profit_margin")
        figures.marketCap = try row.numberIfGiven("market_cap", 0...1e18, "a number from 0 to 1e18")
        guard figures != empty else { throw row.problem("period_end", "at least one figure in its row") }
        let asset = try row.asset(fileSymbol, default: .equity)
        guard recording.add(figures, knownAt: knownAt, of: asset) else { throw notNewest(row) }
    }

    func takeObservation(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let names = MacroIndicator.allCases.map(\.rawValue)
        guard let name = try row.textIfGiven("indicator")?.lowercased(),
            let indicator = MacroIndicator(rawValue: name)
        else { throw row.problem("indicator", "one of \(names.joined(separator: ", "))") }
        let observation = MacroObservation(
            period: try row.time(timeColumn).time, value: try value(row, of: indicator))
        guard recording.add(observation, of: indicator) else {
            throw row.problem(timeColumn, "a time after that of the indicator's row before")
        }
    }

    private func value(_ row: CSVRow, of indicator: MacroIndicator) throws(CSVProblem) -> Double {
        switch indicator {
        case .interestRate, .realGrowth:
            try row.number("value", -1_000...1_000_000, "a number from -1000 to 1e6")
        case .consumerPrices: try row.price("value")
        case .unemployment: try row.number("value", 0...100, "a number from 0 to 100")
        }
    }

    func takeArticle(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        guard let title = try row.textIfGiven("title", limit: Self.maxTitleBytes) else {
            throw row.problem("title", "a headline")
        }
        let article = NewsArticle(
            title: title, summary: try row.textIfGiven("summary", limit: Self.maxSummaryBytes),
            publisher: try row.textIfGiven("publisher"), url: try webAddress(row),
            publishedAt: try row.knownAt(timeColumn), symbols: try tickers(row),
            sentiment: try row.numberIfGiven("sentiment", -1...1, "a number from -1 to 1"))
        let asset = try row.asset(fileSymbol, default: .equity)
        guard recording.articles(of: asset.symbol) < Self.maxArticles else {
            throw row.problem("title", "at most \(Self.maxArticles) articles a symbol")
        }
        guard recording.add(article, of: asset) else {
            throw row.problem(
                timeColumn, "a time not before that of the symbol's row before, and each headline once")
        }
    }

    private func webAddress(_ row: CSVRow) throws(CSVProblem) -> String? {
        guard let url = try row.textIfGiven("url", limit: Self.maxTitleBytes) else { return nil }
        guard url.hasPrefix("https://") || url.hasPrefix("http://"), !url.utf8.contains(0x20) else {
            throw row.problem("url", "an address of the web that begins with http:// or https://")
        }
        return url
    }

    private func tickers(_ row: CSVRow) throws(CSVProblem) -> [String] {
        let text = try row.textIfGiven("symbols", limit: Self.maxTitleBytes) ?? ""
        let tickers = text.split(separator: " ").map { $0.uppercased() }
        guard tickers.count <= Self.maxTickers, tickers.allSatisfy(Self.isSymbol) else {
            throw row.problem("symbols", "at most \(Self.maxTickers) symbols with a blank between them")
        }
        return tickers
    }

    func takeOption(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let observedAt = try row.knownAt(timeColumn)
        let underlyingPrice = row.has("underlying_price") ? try row.price("underlying_price") : nil
        let contract = try contract(row, observedAt: observedAt)
        let asset = try row.asset(fileSymbol, default: .equity)
        if let chain = recording.newestChain(of: asset.symbol), chain.observedAt == observedAt {
            guard chain.underlyingPrice == underlyingPrice else {
                throw row.problem("underlying_price", "the price in the chain's first row")
            }
            guard chain.contracts < Self.maxContracts else {
                throw row.problem("contract", "at most \(Self.maxContracts) contracts a chain")
            }
        }
        guard
            recording.add(contract, observedAt: observedAt, underlyingPrice: underlyingPrice, of: asset)
        else {
            throw row.problem(
                timeColumn, "a time not before that of the symbol's row before, and each contract once")
        }
    }

    private func contract(_ row: CSVRow, observedAt: Timestamp) throws(CSVProblem) -> OptionContract {
        guard let name = try row.textIfGiven("contract") else {
            throw row.problem("contract", "the name of the contract")
        }
        guard let kind = OptionContract.Kind(rawValue: try row.textIfGiven("kind")?.lowercased() ?? "") else {
            throw row.problem("kind", "call or put")
        }
        let expiresOn = try row.day("expires_on")
        guard expiresOn.milliseconds + 86_400_000 > observedAt.milliseconds else {
            throw row.problem("expires_on", "YYYY-MM-DD, not over at the time")
        }
        let amounts = 0...1e15
        let allowed = "a number from 0 to 1e15"
        var contract = OptionContract(
            symbol: name, kind: kind, strike: try row.price("strike"), expiresOn: expiresOn)
        contract.bid = try row.numberIfGiven("bid", amounts, allowed)
        contract.ask = try row.numberIfGiven("ask", amounts, allowed)
        contract.last = row.has("last") ? try row.price("last") : nil
        contract.volume = try row.numberIfGiven("volume", amounts, allowed)
        contract.openInterest = try row.numberIfGiven("open_interest", amounts, allowed)
        contract.impliedVolatility = try row.numberIfGiven(
            "implied_volatility", .leastNormalMagnitude...1_000, "a number greater than 0 and at most 1000")
        return contract
    }
}
