import FIMLCore
import MarketData

// What a worker is given, as it travels to another process. Rows of the same kind are written as columns: a
// year of bars is then six lists of numbers, which are quick to write and to read. Moments are milliseconds
// since 1970. What is empty, and a column in which nothing is known, is left out.
//
//     {"asset": {…}, "moment": ms,
//      "bars": {"opens_at": [ms, …], "seconds": 86400, "open": […], "high": […], "low": […], "close": […],
//               "volume": [… or null]},
//      "benchmarks": [{"asset": {…}, "bars": {…}}],
//      "fundamentals": {"as_of": ms, "price_to_earnings": …, …},
//      "observations": {"unemployment": {"period": [ms, …], "value": […]}},
//      "articles": [{"title": …, "published_at": ms, "symbols": […], …}],
//      "option_chain": {"observed_at": ms, "underlying_price": …, "symbol": […], "kind": […], …},
//      "missing": […]}

extension Figures: JSONWritable {
    /// Writes all that there is.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("asset", asset)
        writer.member("moment", moment.milliseconds)
        if !bars.isEmpty { writer.bars(bars) }
        if !benchmarks.isEmpty {
            writer.name("benchmarks")
            writer.beginArray()
            for benchmark in benchmarks {
                writer.beginObject()
                writer.member("asset", benchmark.asset)
                if !benchmark.bars.isEmpty { writer.bars(benchmark.bars) }
                writer.endObject()
            }
            writer.endArray()
        }
        if let fundamentals { writer.fundamentals(fundamentals) }
        if !observations.isEmpty { writer.observations(observations) }
        if !articles.isEmpty { writer.articles(articles) }
        if let optionChain { writer.optionChain(optionChain) }
        if !missing.isEmpty { writer.member("missing", missing) }
        writer.endObject()
    }

    /// Reads what `write` wrote. Throws the first thing that is wrong, by its path.
    public static func parse(_ value: JSONValue) throws(InvalidMember) -> Figures {
        let reader = try FigureReader(value, at: "figures")
        var figures = Figures(
            try Asset.parse(try reader.required("asset"), at: reader.path(of: "asset")),
            at: try reader.requiredMoment("moment"))
        figures.bars = try reader.bars()
        figures.benchmarks = try reader.list("benchmarks", limit: FigureReader.Limits.benchmarks) {
            entry throws(InvalidMember) in
            Benchmark(
                try Asset.parse(try entry.required("asset"), at: entry.path(of: "asset")),
                bars: try entry.bars())
        }
        figures.fundamentals = try reader.fundamentals()
        figures.observations = try reader.observations()
        figures.articles = try reader.articles()
        figures.optionChain = try reader.optionChain()
        figures.missing = try MissingFigures.parse(reader, "missing")
        return figures
    }
}

extension JSONWriter {
    /// A member that is a list of numbers.
    fileprivate mutating func column<Rows: Collection>(
        _ name: String, _ rows: Rows, _ value: (Rows.Element) -> Double
    ) {
        self.name(name)
        beginArray()
        for row in rows { number(value(row)) }
        endArray()
    }

    /// A member that is a list of numbers and `null`, left out where none is known.
    fileprivate mutating func column<Rows: Collection>(
        _ name: String, ifKnown rows: Rows, _ value: (Rows.Element) -> Double?
    ) {
        guard rows.contains(where: { value($0) != nil }) else { return }
        self.name(name)
        beginArray()
        for row in rows {
            if let value = value(row) { number(value) } else { null() }
        }
        endArray()
    }

    /// A member that is a list of moments.
    fileprivate mutating func column<Rows: Collection>(
        _ name: String, of rows: Rows, _ moment: (Rows.Element) -> Timestamp
    ) {
        self.name(name)
        beginArray()
        for row in rows { integer(moment(row).milliseconds) }
        endArray()
    }

    fileprivate mutating func bars(_ bars: [Bar]) {
        name("bars")
        beginObject()
        column("opens_at", of: bars) { $0.opensAt }
        if let seconds = bars.first?.intervalSeconds, bars.allSatisfy({ $0.intervalSeconds == seconds }) {
            member("seconds", seconds)
        } else {
            member("seconds", bars.map(\.intervalSeconds))
        }
        column("open", bars) { $0.open }
        column("high", bars) { $0.high }
        column("low", bars) { $0.low }
        column("close", bars) { $0.close }
        column("volume", ifKnown: bars) { $0.volume }
        endObject()
    }

    fileprivate mutating func fundamentals(_ figures: Fundamentals) {
        name("fundamentals")
        beginObject()
        member("as_of", ifPresent: figures.asOf?.milliseconds)
        for (name, figure) in Fundamentals.members { member(name, ifPresent: figures[keyPath: figure]) }
        endObject()
    }

    fileprivate mutating func observations(_ observations: [MacroIndicator: [MacroObservation]]) {
        name("observations")
        beginObject()
        for indicator in MacroIndicator.allCases {
            guard let rows = observations[indicator] else { continue }
            name(indicator.rawValue)
            beginObject()
            column("period", of: rows) { $0.period }
            column("value", rows) { $0.value }
            endObject()
        }
        endObject()
    }

    fileprivate mutating func articles(_ articles: [NewsArticle]) {
        name("articles")
        beginArray()
        for article in articles {
            beginObject()
            member("title", article.title)
            member("summary", ifPresent: article.summary)
            member("publisher", ifPresent: article.publisher)
            member("url", ifPresent: article.url)
            member("published_at", article.publishedAt.milliseconds)
            member("symbols", article.symbols)
            member("sentiment", ifPresent: article.sentiment)
            endObject()
        }
        endArray()
    }

    fileprivate mutating func optionChain(_ chain: OptionChain) {
        let contracts = chain.contracts
        name("option_chain")
        beginObject()
        member("observed_at", chain.observedAt.milliseconds)
        member("underlying_price", ifPresent: chain.underlyingPrice)
        member("symbol", contracts.map(\.symbol))
        member("kind", contracts.map(\.kind.rawValue))
        column("strike", contracts) { $0.strike }
        column("expires_on", of: contracts) { $0.expiresOn }
        for (name, figure) in OptionContract.members {
            column(name, ifKnown: contracts) { $0[keyPath: figure] }
        }
        endObject()
    }
}

extension FigureReader {
    fileprivate func bars() throws(InvalidMember) -> [Bar] {
        guard let value = value("bars") else { return [] }
        let reader = try FigureReader(value, at: path(of: "bars"))
        let opensAt = try reader.moments("opens_at", limit: Limits.bars)
        let rows = opensAt.count
        let seconds = try reader.seconds("seconds", rows: rows)
        let open = try reader.prices("open", rows: rows)
        let high = try reader.prices("high", rows: rows)
        let low = try reader.prices("low", rows: rows)
        let close = try reader.prices("close", rows: rows)
        let volume = try reader.optionalNumbers("volume", rows: rows)
        return opensAt.indices.map { row in
            Bar(
                opensAt: opensAt[row], intervalSeconds: seconds[row], open: open[row], high: high[row],
                low: low[row], close: close[row], volume: volume[row])
        }
    }

    fileprivate func fundamentals() throws(InvalidMember) -> Fundamentals? {
        guard let value = value("fundamentals") else { return nil }
        let reader = try FigureReader(value, at: path(of: "fundamentals"))
        var figures = Fundamentals()
        figures.asOf = try reader.moment("as_of")
        for (name, figure) in Fundamentals.members { figures[keyPath: figure] = try reader.number(name) }
        return figures
    }

    fileprivate func observations() throws(InvalidMember) -> [MacroIndicator: [MacroObservation]] {
        guard let value = value("observations") else { return [:] }
        let reader = try FigureReader(value, at: path(of: "observations"))
        var observations: [MacroIndicator: [MacroObservation]] = [:]
        for name in reader.names {
            guard let indicator = MacroIndicator(rawValue: name) else {
                throw reader.problem(name, "is no indicator that is known")
            }
            let series = try FigureReader(try reader.required(name), at: reader.path(of: name))
            let periods = try series.moments("period", limit: Limits.observations)
            let values = try series.numbers("value", rows: periods.count)
            observations[indicator] = zip(periods, values).map { MacroObservation(period: $0, value: $1) }
        }
        return observations
    }

    fileprivate func articles() throws(InvalidMember) -> [NewsArticle] {
        try list("articles", limit: Limits.articles) { entry throws(InvalidMember) in
            let symbols = try entry.list("symbols", limit: Limits.symbols)
            return NewsArticle(
                title: try entry.requiredText("title"),
                summary: try entry.text("summary", limit: Limits.summary),
                publisher: try entry.text("publisher"), url: try entry.text("url"),
                publishedAt: try entry.requiredMoment("published_at"),
                symbols: try entry.texts("symbols", rows: symbols.count),
                sentiment: try entry.number("sentiment"))
        }
    }

    fileprivate func optionChain() throws(InvalidMember) -> OptionChain? {
        guard let value = value("option_chain") else { return nil }
        let reader = try FigureReader(value, at: path(of: "option_chain"))
        let expiries = try reader.moments("expires_on", limit: Limits.contracts)
        let rows = expiries.count
        let symbols = try reader.texts("symbol", rows: rows)
        let kinds = try reader.texts("kind", rows: rows)
        let strikes = try reader.prices("strike", rows: rows)
        var contracts: [OptionContract] = []
        contracts.reserveCapacity(rows)
        for row in 0..<rows {
            guard let kind = OptionContract.Kind(rawValue: kinds[row]) else {
                throw reader.problem("kind", "must be of call and put")
            }
            contracts.append(
                OptionContract(
                    symbol: symbols[row], kind: kind, strike: strikes[row], expiresOn: expiries[row]))
        }
        for (name, figure) in OptionContract.members {
            let column = try reader.optionalNumbers(name, rows: rows)
            for row in 0..<rows { contracts[row][keyPath: figure] = column[row] }
        }
        return OptionChain(
            observedAt: try reader.requiredMoment("observed_at"),
            underlyingPrice: try reader.number("underlying_price"), contracts: contracts)
    }
}

extension Fundamentals {
    /// The figures by the names under which they travel.
    fileprivate static var members: [(String, WritableKeyPath<Fundamentals, Double?>)] {
        [
            ("price_to_earnings", \.priceToEarnings), ("price_to_book", \.priceToBook),
            ("earnings_per_share", \.earningsPerShare), ("return_on_equity", \.returnOnEquity),
            ("return_on_assets", \.returnOnAssets), ("debt_to_equity", \.debtToEquity),
            ("revenue_growth", \.revenueGrowth), ("profit_margin", \.profitMargin),
            ("market_cap", \.marketCap),
        ]
    }
}

extension OptionContract {
    /// The figures by the names under which they travel.
    fileprivate static var members: [(String, WritableKeyPath<OptionContract, Double?>)] {
        [
            ("bid", \.bid), ("ask", \.ask), ("last", \.last), ("volume", \.volume),
            ("open_interest", \.openInterest), ("implied_volatility", \.impliedVolatility),
        ]
    }
}
