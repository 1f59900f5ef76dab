import FIMLCore
import Foundation
import MarketProviders
import Testing

/// Answers that real providers gave, and figures computed from them elsewhere, where they lie beside the
/// project.
enum CryptoRecordings {
    private static let directory = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "shared/market-data")

    /// Whether they are there; tests that need them are skipped where not.
    static let areThere = FileManager.default.fileExists(
        atPath: directory.appending(path: "provider-responses/INDEX.tsv").path)
    static let absence: Comment = "the recorded answers are not beside the project"

    /// The body of an answer: `binance/klines_ADABTC_1m.json`.
    static func body(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: "provider-responses/\(name)")))
    }

    /// The path and the query that an answer was given to.
    static func request(_ name: String) throws -> String? {
        try lines("provider-responses/INDEX.tsv", separator: "\t")
            .first { $0.first == "provider-responses/\(name)" }?[3]
    }

    /// The rows of a table of the truth about an answer, without its first column.
    static func truth(_ table: String, about name: String) throws -> [[String]] {
        try lines("truth/\(table).csv", separator: ",")
            .filter { $0.first == name }.map { Array($0.dropFirst()) }
    }

    private static func lines(_ path: String, separator: Character) throws -> [[String]] {
        let text = try String(contentsOf: directory.appending(path: path), encoding: .utf8)
        return text.split(whereSeparator: \.isNewline).map {
            $0.split(separator: separator, omittingEmptySubsequences: false).map(String.init)
        }
    }
}

/// Whether two figures agree to a part in a billion.
func agree(_ one: Double?, _ other: String) -> Bool {
    guard let one, let other = Double(other) else { return false }
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))
}
