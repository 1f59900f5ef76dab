import FIMLCore
import Foundation
import MarketData
import MarketProviders
import Testing

/// What the tests of equities, companies, economies, news and options share: assets, and the recorded answers
/// that lie beside the repository on some machines.
enum CompanyAnswers {
    static let apple = Asset(symbol: "AAPL", name: "Apple", assetType: .equity)
    static let bitcoin = Asset(symbol: "BTC", assetType: .crypto, market: .crypto)
    static let russell = Asset(symbol: "RUT", assetType: .index)

    static func equity(_ symbol: String) -> Asset { Asset(symbol: symbol, assetType: .equity) }

    /// The folder of recorded market data, four levels up from this file.
    private static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("../shared/market-data")

    /// Whether recorded answers are there; tests of them are skipped where they are not.
    static let arePresent = FileManager.default.fileExists(
        atPath: folder.appendingPathComponent("provider-responses/INDEX.tsv").path)

    static let absence: Comment = "needs the recorded answers in ../shared/market-data"

    /// The bytes of a file in the folder of recorded answers, unpacked.
    static func body(_ name: String) throws -> [UInt8] {
        let file = folder.appendingPathComponent("provider-responses/" + name)
        guard name.hasSuffix(".gz") else { return [UInt8](try Data(contentsOf: file)) }
        let gunzip = Process()
        gunzip.executableURL = URL(fileURLWithPath: "/usr/bin/gunzip")
        gunzip.arguments = ["-c", file.path]
        let output = Pipe()
        gunzip.standardOutput = output
        try gunzip.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        gunzip.waitUntilExit()
        return bytes
    }

    /// A file of the truth.
    static func truth(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent("truth/" + name)))
    }

    /// The path without query under which an answer was recorded.
    static func recordedPath(_ name: String) throws -> String {
        let index = String(
            decoding: try Data(contentsOf: folder.appendingPathComponent("provider-responses/INDEX.tsv")),
            as: UTF8.self)
        let row = try #require(
            index.split(separator: "\n").first { $0.hasPrefix("provider-responses/\(name)\t") })
        return String(row.split(separator: "\t")[3].prefix { $0 != "?" })
    }

    /// The query under which an answer was recorded, as name and value, decoded.
    static func recordedQuery(_ name: String) throws -> [String: String] {
        let index = String(
            decoding: try Data(contentsOf: folder.appendingPathComponent("provider-responses/INDEX.tsv")),
            as: UTF8.self)
        let row = try #require(
            index.split(separator: "\n").first { $0.hasPrefix("provider-responses/\(name)\t") })
        let query = row.split(separator: "\t")[3].drop { $0 != "?" }.dropFirst()
        return Dictionary(
            query.split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
            }, uniquingKeysWith: { first, _ in first })
    }
}

/// What an endpoint reads out of a text.
func reading<Figures>(_ text: String, with endpoint: Endpoint<Figures>?) throws -> Decoded<Figures> {
    try #require(endpoint).decode(Array(text.utf8))
}

/// What an endpoint reads out of a recorded answer; the path that it asks must be the recorded one.
func readingRecorded<Figures>(_ name: String, with endpoint: Endpoint<Figures>?) throws -> Decoded<Figures> {
    let endpoint = try #require(endpoint)
    let recorded = try CompanyAnswers.recordedPath(name)
    // A range of days is part of one path.
    let (asked, expected) = (endpoint.request.path, recorded)
    if asked.contains("/range/") {
        #expect(
            asked.split(separator: "/").prefix(7) == expected.split(separator: "/").prefix(7), "\(name)")
    } else {
        #expect(asked == expected, "\(name)")
    }
    return try endpoint.decode(try CompanyAnswers.body(name))
}

func moment(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

func startOfDay(_ text: String) throws -> Timestamp { try moment(text + "T00:00:00Z") }

/// Members of the recorded query that the endpoint asks for otherwise, if both have them; keys and limits
/// aside.
func queryDifferences<Figures>(_ name: String, _ endpoint: Endpoint<Figures>?) throws -> [String] {
    let recorded = try CompanyAnswers.recordedQuery(name)
    let aside: Set = ["apikey", "api_key", "crumb", "limit", "modules", "from", "to", "startDate", "sortBy"]
    return try #require(endpoint).request.query.compactMap { pair in
        guard let value = recorded[pair[0]], !aside.contains(pair[0]), value != pair[1] else { return nil }
        return "\(pair[0])=\(pair[1]), recorded \(value)"
    }
}
