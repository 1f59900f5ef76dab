import FIMLCore
import MarketData

/// Where the parts of a bar are in its row.
struct BarColumns {
    /// What times are counted in.
    enum Clock {
        case seconds, milliseconds
    }

    let time: Int
    let clock: Clock
    let open: Int
    let high: Int
    let low: Int
    let close: Int
    let volume: Int
}

/// In which order an exchange lists its rows.
enum RowOrder {
    case oldestFirst, newestFirst

    /// Where the newest rows are, at most `limit` of them, the oldest of them first.
    func newest(_ limit: Int, of rows: [JSONValue]) -> [Int] {
        switch self {
        case .oldestFirst: Array(rows.indices.suffix(limit))
        case .newestFirst: Array(rows.indices.prefix(limit).reversed())
        }
    }
}

// What all exchanges answer alike: bars as rows of columns, order books as rows of price and amount.
extension AnswerReader {
    /// How many bars of an answer are looked at, the newest.
    static let rowLimit = 5_000
    /// How many levels of a side are looked at, the first. Coinbase answers its whole book, of which the part
    /// within 1 % may have more than the 5,000 that others give at most.
    static let levelLimit = 20_000
    /// How far apart an exchange's quotes are taken to be: they change all the time, but a quiet pair may
    /// well go without a trade for a minute.
    static let quoteIntervalSeconds: Int64 = 60
    /// The period that funding rates are compared over.
    static let fundingSeconds: Int64 = 28_800
    /// The periods, in hours, that exchanges have.
    static let fundingPeriods: Set<Int64> = [1, 2, 4, 6, 8]

    /// An exchange's quote of a price and the moment that it is from. Throws where either could not be read.
    func quote(_ price: Double?, observedAt: Timestamp?) throws(MarketDataError) -> Decoded<Quote> {
        guard let price, let observedAt else { throw nothingUsable("quote") }
        let quote = Quote(
            observedAt: observedAt, price: price, intervalSeconds: Self.quoteIntervalSeconds)
        return Decoded(quote, refused: refused)
    }

    /// The bars of those rows, oldest first, the newest `limit` of them. A bar is refused when a price of it
    /// is, when its prices contradict each other, or when it does not begin after the one before it; a volume
    /// that is refused leaves the bar without one. Throws when no bar can be used.
    mutating func bars(
        _ rows: JSONValue?, at place: String, _ columns: BarColumns, every interval: BarInterval,
        order: RowOrder, limit: Int
    ) throws(MarketDataError) -> Decoded<[Bar]> {
        guard let rows = rows?.elements else { throw MarketDataError("\(place) is not a list of bars") }
        var bars: [Bar] = []
        for index in order.newest(Self.rowLimit, of: rows) {
            guard let bar = bar(rows[index], at: "\(place)[\(index)]", columns, every: interval) else {
                continue
            }
            if let last = bars.last, bar.opensAt <= last.opensAt {
                refuse("\(place)[\(index)][\(columns.time)]", "is not later than the bar before it")
            } else {
                bars.append(bar)
            }
        }
        guard !bars.isEmpty else { throw nothingUsable("bar") }
        return Decoded(Array(bars.suffix(max(limit, 1))), refused: refused)
    }

    private mutating func bar(
        _ row: JSONValue, at place: String, _ columns: BarColumns, every interval: BarInterval
    ) -> Bar? {
        let time = row.column(columns.time)
        let opensAt =
            switch columns.clock {
            case .seconds: seconds(time, at: "\(place)[\(columns.time)]")
            case .milliseconds: milliseconds(time, at: "\(place)[\(columns.time)]")
            }
        guard
            let opensAt,
            let open = price(row.column(columns.open), at: "\(place)[\(columns.open)]"),
            let high = price(row.column(columns.high), at: "\(place)[\(columns.high)]"),
            let low = price(row.column(columns.low), at: "\(place)[\(columns.low)]"),
            let close = price(row.column(columns.close), at: "\(place)[\(columns.close)]")
        else { return nil }
        guard low <= min(open, close), high >= max(open, close) else {
            refuse(place, "has a price outside of its low \(low) and high \(high)")
            return nil
        }
        return Bar(
            opensAt: opensAt, intervalSeconds: interval.seconds, open: open, high: high, low: low,
            close: close,
            volume: amount(row.column(columns.volume), at: "\(place)[\(columns.volume)]"))
    }

    /// The book of two lists of rows of price and amount. Their order does not matter. Throws when a side has
    /// rows of which none can be used, when both are empty, or when the best bid is not below the best ask.
    mutating func orderBook(
        bids: JSONValue?, asks: JSONValue?, observedAt: Timestamp
    ) throws(MarketDataError) -> Decoded<OrderBook> {
        let book = OrderBook(
            observedAt: observedAt,
            bids: try side(bids, at: "bids").reversed(),
            asks: try side(asks, at: "asks"))
        guard !book.bids.isEmpty || !book.asks.isEmpty else {
            throw MarketDataError("the order book is empty", cause: .hasNone)
        }
        if let bid = book.bids.first?.price, let ask = book.asks.first?.price, bid >= ask {
            throw MarketDataError("the order book crosses itself: bid \(bid), ask \(ask)")
        }
        return Decoded(book, refused: refused)
    }

    /// The levels of a side by rising price.
    private mutating func side(_ rows: JSONValue?, at place: String) throws(MarketDataError)
        -> [OrderBook.Level]
    {
        guard let rows = rows?.elements else { throw MarketDataError("\(place) is not a list of levels") }
        var levels: [OrderBook.Level] = []
        for (index, row) in rows.prefix(Self.levelLimit).enumerated() {
            guard
                let price = price(row.column(0), at: "\(place)[\(index)][0]"),
                let amount = self.price(row.column(1), at: "\(place)[\(index)][1]")
            else { continue }
            levels.append(OrderBook.Level(price: price, amount: amount))
        }
        guard rows.isEmpty || !levels.isEmpty else { throw nothingUsable("level among the \(place)") }
        levels.sort { $0.price < $1.price }
        var distinct: [OrderBook.Level] = []
        for level in levels {
            if level.price == distinct.last?.price {
                refuse(place, "have the price \(level.price) twice")
            } else {
                distinct.append(level)
            }
        }
        return distinct
    }

    /// A rate for the period of `hours` as the rate for eight hours. Refused beyond 100 %: a unit was
    /// mistaken.
    mutating func fundingRate(_ value: JSONValue?, hours: Int64, at place: String) -> Double? {
        guard let rate = number(value, at: place) else { return nil }
        guard abs(rate) <= 1 else {
            refuse(place, "is \(rate), which is more than 100 %")
            return nil
        }
        return rate * 8 / Double(hours)
    }

    /// The hours between two fundings, where exchanges have such an interval; else 8, the usual one.
    static func fundingHours(from first: Timestamp, to second: Timestamp) -> Int64 {
        // Settlements come a few milliseconds late: half an hour is added to round.
        let hours = (second.milliseconds - first.milliseconds + 1_800_000) / 3_600_000
        return Self.fundingPeriods.contains(hours) ? hours : 8
    }
}

extension JSONValue {
    /// The element at that index; nil where there is none, or where this is no array.
    func column(_ index: Int) -> JSONValue? {
        guard let elements, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension MarketDataError {
    /// An error that a provider reports in its answer.
    init(saidByProvider message: JSONValue?, cause: Cause = .failure) {
        // By scalars: one character may have any number of them.
        let words = message?.text.map { String($0.unicodeScalars.prefix(200)) }
        self.init("the provider says: \(words ?? "nothing of why")", cause: cause)
    }
}
