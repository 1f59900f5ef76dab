import FIMLCore
import MarketData

// What a live market remembers, as its file holds it:
//
//     {"version": 1,
//      "bars": [{"asset": "crypto/BTC", "provider": "binance", "asked_at": ms,
//                "bars": [[opens_at ms, seconds, open, high, low, close, volume or null]]}],
//      "quotes": [{"asset": "crypto/BTC", "provider": "binance",
//                  "quotes": [[observed_at ms, price, seconds]]}],
//      "depths": [{"asset": "crypto/BTC", "provider": "binance", "newest": [observed_at ms, usd, seconds],
//                  "hours": [[hours since 1970, sum of usd, count]]}]}

extension MarketHistory: JSONWritable {
    private static let version: Int64 = 1
    /// Quotes in the file, of all assets together: about 12 MB.
    private static let writtenQuotes = 300_000

    /// Writes all of it, ordered by asset. Of many assets only the newest quotes are written, so that the
    /// file is bounded.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("version", Self.version)
        writer.name("bars")
        writer.beginArray()
        for (key, window) in bars.sorted(by: { $0.key < $1.key }) { Self.write(window, key, to: &writer) }
        writer.endArray()
        writer.name("quotes")
        writer.beginArray()
        let windowCount = quotes.values.reduce(0) { $0 + $1.count }
        let limit = min(QuoteWindow.limit, Self.writtenQuotes / max(1, windowCount))
        for (key, windows) in quotes.sorted(by: { $0.key < $1.key }) {
            for (provider, window) in windows.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                Self.write(window.quotes.suffix(limit), key, provider, to: &writer)
            }
        }
        writer.endArray()
        writer.name("depths")
        writer.beginArray()
        for (key, windows) in depths.sorted(by: { $0.key < $1.key }) {
            for (provider, window) in windows.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                Self.write(window, key, provider, to: &writer)
            }
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ window: BarWindow, _ key: String, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("asset", key)
        writer.member("provider", window.provider.rawValue)
        writer.member("asked_at", window.askedAt.milliseconds)
        writer.name("bars")
        writer.beginArray()
        for bar in window.bars {
            write(
                [
                    bar.opensAt.milliseconds, bar.intervalSeconds, bar.open, bar.high, bar.low, bar.close,
                    bar.volume,
                ], to: &writer)
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(
        _ quotes: ArraySlice<Quote>, _ key: String, _ provider: ProviderName, to writer: inout JSONWriter
    ) {
        writer.beginObject()
        writer.member("asset", key)
        writer.member("provider", provider.rawValue)
        writer.name("quotes")
        writer.beginArray()
        for quote in quotes {
            write([quote.observedAt.milliseconds, quote.price, quote.intervalSeconds], to: &writer)
        }
        writer.endArray()
        writer.endObject()
    }

    private static func write(
        _ window: DepthWindow, _ key: String, _ provider: ProviderName, to writer: inout JSONWriter
    ) {
        guard let newest = window.newest else { return }
        writer.beginObject()
        writer.member("asset", key)
        writer.member("provider", provider.rawValue)
        writer.name("newest")
        write([newest.observedAt.milliseconds, newest.depthUSD, newest.intervalSeconds], to: &writer)
        writer.name("hours")
        writer.beginArray()
        for hour in window.hours { write([hour.hour, hour.sumUSD, hour.count], to: &writer) }
        writer.endArray()
        writer.endObject()
    }

    private static func write(_ row: [(any JSONWritable)?], to writer: inout JSONWriter) {
        writer.beginArray()
        for value in row {
            if let value { value.write(to: &writer) } else { writer.null() }
        }
        writer.endArray()
    }

    /// Reads what was written, checking each value again. `refused` says what could not be used; what is too
    /// old at `now` is dropped in silence. Throws where the whole is not such a text.
    static func parse(_ bytes: [UInt8], now: Timestamp) throws(MarketDataError) -> Decoded<MarketHistory> {
        let json = try AnswerReader.json(bytes)
        guard json["version"]?.int64 == version else {
            throw MarketDataError("the version is not \(version)")
        }
        var parser = HistoryParser(now: now)
        var history = MarketHistory()
        for entry in json["bars"]?.elements ?? [] {
            if let (key, window) = parser.bars(entry) { history.add(window, of: key) }
        }
        for entry in json["quotes"]?.elements ?? [] {
            if let (key, provider, window) = parser.quotes(entry) {
                history.add(window, of: key, from: provider)
            }
        }
        for entry in json["depths"]?.elements ?? [] {
            if let (key, provider, window) = parser.depths(entry) {
                history.add(window, of: key, at: provider)
            }
        }
        return Decoded(history, refused: parser.reader.refused)
    }
}

/// Reads the entries of the file. Nil where an entry cannot be used or is too old.
private struct HistoryParser {
    let now: Timestamp
    var reader = AnswerReader()

    mutating func bars(_ entry: JSONValue) -> (String, BarWindow)? {
        guard let key = key(entry), let provider = provider(entry, key) else { return nil }
        let rows = entry["bars"]?.elements ?? []
        let bars = rows.enumerated().compactMap { index, row in bar(row, "\(key) bars[\(index)]") }
        guard bars.count == rows.count,
            let askedAt = moment(entry["asked_at"], "\(key) asked_at"),
            let window = BarWindow(bars, from: provider, askedAt: askedAt)
        else {
            // A gap in the middle would make wrong returns; the provider gives them all again.
            reader.refuse("\(key) bars", "are not whole or not in order")
            return nil
        }
        return window.isFresh(at: now) ? (key, window) : nil
    }

    private mutating func bar(_ row: JSONValue, _ place: String) -> Bar? {
        let values = row.elements ?? []
        guard values.count == 7,
            let opensAt = moment(values[0], place),
            let seconds = interval(values[1], place),
            let open = reader.price(values[2], at: place), let high = reader.price(values[3], at: place),
            let low = reader.price(values[4], at: place), let close = reader.price(values[5], at: place)
        else { return nil }
        let volume: Double?
        if values[6] == .null {
            volume = nil
        } else {
            guard let amount = reader.amount(values[6], at: place) else { return nil }
            volume = amount
        }
        return Bar(
            opensAt: opensAt, intervalSeconds: seconds, open: open, high: high, low: low, close: close,
            volume: volume)
    }

    mutating func quotes(_ entry: JSONValue) -> (String, ProviderName, QuoteWindow)? {
        guard let key = key(entry), let provider = provider(entry, key) else { return nil }
        var window = QuoteWindow()
        for (index, row) in (entry["quotes"]?.elements ?? []).enumerated() {
            let place = "\(key) quotes[\(index)]"
            let values = row.elements ?? []
            guard values.count == 3, let observedAt = moment(values[0], place),
                let price = reader.price(values[1], at: place), let seconds = interval(values[2], place)
            else { continue }
            let quote = Quote(observedAt: observedAt, price: price, intervalSeconds: seconds)
            if !window.add(quote) { reader.refuse(place, "is not later than the one before") }
        }
        window.forget(before: now.milliseconds - QuoteWindow.keptSeconds * 1_000)
        return window.newest == nil ? nil : (key, provider, window)
    }

    mutating func depths(_ entry: JSONValue) -> (String, ProviderName, DepthWindow)? {
        guard let key = key(entry), let provider = provider(entry, key) else { return nil }
        let place = "\(key) depths"
        let newest = entry["newest"]?.elements ?? []
        let rows = entry["hours"]?.elements ?? []
        let hours = rows.compactMap { hour($0, place) }
        guard newest.count == 3, hours.count == rows.count, let observedAt = moment(newest[0], place),
            let depth = reader.amount(newest[1], at: place), let seconds = interval(newest[2], place),
            let window = DepthWindow(
                hours: hours,
                newest: .init(observedAt: observedAt, depthUSD: depth, intervalSeconds: seconds))
        else {
            reader.refuse(place, "are not whole or not in order")
            return nil
        }
        let age = now.milliseconds - observedAt.milliseconds
        return age < MarketDepth.meanSeconds * 1_000 ? (key, provider, window) : nil
    }

    private mutating func hour(_ row: JSONValue, _ place: String) -> DepthWindow.Hour? {
        let values = row.elements ?? []
        guard values.count == 3, let hour = values[0].int64, let sum = reader.amount(values[1], at: place),
            let count = values[2].int64.flatMap(Int.init(exactly:))
        else { return nil }
        return DepthWindow.Hour(hour: hour, sumUSD: sum, count: count)
    }

    private mutating func key(_ entry: JSONValue) -> String? {
        let parts = (entry["asset"]?.text ?? "").split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2, AssetType(rawValue: parts[0]) != nil, Asset.isSymbol(parts[1]) else {
            reader.refuse("an entry", "is of no asset")
            return nil
        }
        return parts.joined(separator: "/")
    }

    private mutating func provider(_ entry: JSONValue, _ key: String) -> ProviderName? {
        guard let provider = entry["provider"]?.text.flatMap(ProviderName.init(rawValue:)) else {
            reader.refuse(key, "is of no provider")
            return nil
        }
        return provider
    }

    private mutating func moment(_ value: JSONValue?, _ place: String) -> Timestamp? {
        guard let moment = reader.milliseconds(value, at: place) else { return nil }
        guard !Freshness.isAhead(moment, of: now) else {
            reader.refuse(place, "is in the future")
            return nil
        }
        return moment
    }

    private mutating func interval(_ value: JSONValue, _ place: String) -> Int64? {
        guard let seconds = value.int64, Freshness.intervals.contains(seconds) else {
            reader.refuse(place, "has no interval")
            return nil
        }
        return seconds
    }
}
