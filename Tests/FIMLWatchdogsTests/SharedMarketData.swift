import FIMLCore
import FoundationEssentials
import MarketData
import Testing

/// Recorded series and what should come of them, computed independently; beside the package where it is there
/// at all.
enum SharedMarketData {
    static let directory = #filePath.replacing(
        "Tests/FIMLWatchdogsTests/SharedMarketData.swift", with: "../shared/market-data/")
    static let isThere = FileManager.default.fileExists(atPath: directory + "truth/unusual_volume.csv")

    /// The rows of a file by their columns. No cell of these files holds a comma.
    static func table(_ path: String) throws -> [[String: String]] {
        let lines = try String(contentsOfFile: directory + path, encoding: .utf8).split(separator: "\n")
            .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        let header = try #require(lines.first)
        return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
    }

    /// `2020-02-10`, or a time of a day with or without zone, as UTC.
    static func time(_ text: String?) throws -> Timestamp {
        let text = try #require(text)
        let full = text.count == 10 ? text + "T00:00:00Z" : text.hasSuffix("Z") ? text : text + "Z"
        return try #require(Timestamp(rfc3339: full))
    }

    static func number(_ row: [String: String], _ column: String) throws -> Double {
        try #require(row[column].flatMap(Double.init))
    }

    /// The bars of a file whose rows have a `date` or a `time`.
    static func bars(_ path: String) throws -> [Bar] {
        try table(path).map { row in
            Bar(
                opensAt: try time(row["date"] ?? row["time"]),
                intervalSeconds: row["date"] == nil ? 60 : 86_400, open: try number(row, "open"),
                high: try number(row, "high"), low: try number(row, "low"), close: try number(row, "close"),
                volume: row["volume"].flatMap(Double.init))
        }
    }

    /// Their closes, each known when its bar was over.
    static func quotes(_ path: String) throws -> [Quote] {
        try bars(path).map {
            Quote(observedAt: $0.closesAt, price: $0.close, intervalSeconds: $0.intervalSeconds)
        }
    }

    /// Whether a figure is the expected one to 1e-9; what has 10 decimals in the file, to those.
    static func close(_ value: JSONValue?, _ expected: String?) -> Bool {
        guard let value = value?.double, let expected = expected.flatMap(Double.init) else { return false }
        return abs(value - expected) <= max(1e-9 * abs(expected), 6e-11)
    }
}
