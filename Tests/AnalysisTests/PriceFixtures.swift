import Analysis
import FIMLCore
import FoundationEssentials
import MarketData
import Testing

/// Bars and figures for the workers that judge by prices.
enum PriceFixtures {
    static let asset = Asset(symbol: "A", assetType: .equity)
    /// 2026-01-05, a Monday.
    static let start = Timestamp(milliseconds: 1_767_571_200_000)

    /// A bar a day, high and low as far from the close as `spread` says, as a share of it.
    static func bars(_ closes: [Double], spread: Double = 0, volume: Double? = nil) -> [Bar] {
        closes.enumerated().map { day, close in
            Bar(
                opensAt: start.adding(seconds: Int64(day) * 86_400), intervalSeconds: 86_400, open: close,
                high: close * (1 + spread), low: close * (1 - spread), close: close, volume: volume)
        }
    }

    static func figures(_ bars: [Bar], benchmarks: [(String, [Bar])] = []) -> Figures {
        var figures = Figures(asset, at: start.adding(seconds: 1_000 * 86_400))
        figures.bars = bars
        figures.benchmarks = benchmarks.map {
            Figures.Benchmark(Asset(symbol: $0.0, assetType: .etf), bars: $0.1)
        }
        return figures
    }

    /// 1, 2, 3, …
    static func ramp(_ count: Int) -> [Double] { (1...count).map(Double.init) }

    /// Closes that begin with `first` and change by these fractions.
    static func closes(from first: Double = 100, returns: [Double]) -> [Double] {
        returns.reduce(into: [first]) { closes, change in closes.append((closes.last ?? first) * (1 + change))
        }
    }
}

extension Finding {
    /// A figure at a path of names: `indicators`, `macd`, `signal`.
    func value(_ path: String...) -> JSONValue? {
        path.dropFirst().reduce(path.first.flatMap { details[$0] }) { value, name in value?[name] }
    }

    /// What of it is missing, by subject.
    var missingSubjects: Set<String> { Set(missing.compactMap(\.subject)) }
}

/// Whether a figure is the expected one to so many parts of it.
func isClose(_ value: Double?, _ expected: Double?, within share: Double = 1e-9) -> Bool {
    guard let value, let expected else { return false }
    return abs(value - expected) <= share * abs(expected)
}

/// Recorded daily series and the figures that should come of them, computed independently; beside the package
/// where it is there at all.
enum RecordedPrices {
    static let directory = #filePath.replacing(
        "Tests/AnalysisTests/PriceFixtures.swift", with: "../shared/market-data/")
    static let isThere = FileManager.default.fileExists(atPath: directory + "truth/technical.json")

    static func truth(_ name: String) throws -> JSONValue {
        let text = try Data(contentsOf: URL(filePath: directory + "truth/\(name).json"))
        return try JSONValue.parse(Array(text))
    }

    /// The series that a truth file speaks of.
    static func series(_ name: String) -> [String] {
        ((try? truth(name))?.members ?? [:]).keys.sorted()
    }

    /// The bars of a file of columns date, open, high, low, close, volume.
    static func bars(_ path: String) throws -> [Bar] {
        let rows = try String(contentsOfFile: directory + path, encoding: .utf8).split(separator: "\n")
        return try rows.dropFirst().map { row in
            let cells = row.split(separator: ",", omittingEmptySubsequences: false)
            let numbers = try (1...4).map { try #require(Double(cells[$0])) }
            return Bar(
                opensAt: try #require(Timestamp(rfc3339: cells[0] + "T00:00:00Z")), intervalSeconds: 86_400,
                open: numbers[0], high: numbers[1], low: numbers[2], close: numbers[3],
                volume: Double(cells[5]))
        }
    }
}
