import FIMLCore
import MarketData

/// Stooq: days of US equities and funds as CSV, without a key.
public enum Stooq {
    /// Daily bars, adjusted for splits by Stooq. The answer is the whole history, of which the newest are
    /// kept.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard interval == .day, let ticker = Ticker.us(asset) else { return nil }
        let request = ProviderRequest(
            "/q/d/l/", query: [["s", "\(Ticker.hyphenated(ticker).lowercased()).us"], ["i", "d"]])
        return Endpoint(.stooq, request) { body throws(MarketDataError) in
            try readBars(body, limit: limit)
        }
    }

    private static func readBars(_ body: [UInt8], limit: Int) throws(MarketDataError) -> Decoded<[Bar]> {
        let lines = body.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") })
        // A symbol that Stooq does not know, and a limit that is used up, are one line of text.
        guard let head = lines.first, head.starts(with: "Date,Open,High,Low,Close".utf8) else {
            let text = String(decoding: body.prefix(80), as: UTF8.self)
            let cause: MarketDataError.Cause =
                text.hasPrefix("No data")
                ? .hasNone : text.hasPrefix("Exceeded the daily hits") ? .tooOften : .failure
            throw MarketDataError("the answer is not a table of days: \(text.debugDescription)", cause: cause)
        }
        var series = CheckedBars(every: .day)
        for (row, line) in lines.enumerated().dropFirst() {
            let cells = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            func cell(_ column: Int) -> JSONValue? {
                column < cells.count ? .string(String(decoding: cells[column], as: UTF8.self)) : nil
            }
            let place = "line \(row + 1)"
            series.add(
                series.reader.day(cell(0), at: "\(place) date"),
                .init(open: cell(1), high: cell(2), low: cell(3), close: cell(4), volume: cell(5)), at: place)
        }
        return try series.decoded(limit: limit)
    }
}
