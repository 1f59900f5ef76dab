import FIMLCore
import Glibc

/// The figures of one kind that there are of one asset.
public struct Series<Figure: Sendable>: Sendable {
    /// What they are of.
    public let asset: Asset
    /// Oldest first, unless their place in the recording says otherwise.
    public let figures: [Figure]
}

/// A market as it was recorded: series of several assets on one true timeline.
public struct Recording: Sendable {
    /// The largest file that is read.
    public static let maxFileBytes = 256 << 20

    /// Bars, all of one interval in a series; ordered by symbol, as all series are.
    public let bars: [Series<Bar>]
    /// Of each asset one list of rates an exchange, each oldest first; ordered by the exchange's name.
    public let fundingRates: [Series<[FundingRate]>]
    /// Snapshots of depth, each with the mean of those before it.
    public let depths: [Series<MarketDepth>]
    /// Earnings, each with the moment from which on it is known as `reportedAt`.
    public let earnings: [Series<EarningsReport>]
    /// Transfers.
    public let transfers: [Series<Transfer>]
    /// What companies reported.
    public let fundamentals: [Series<Fundamentals>]
    /// Figures of the economy, each indicator's oldest first.
    public let observations: [MacroIndicator: [MacroObservation]]
    /// Articles.
    public let news: [Series<NewsArticle>]
    /// Chains of options.
    public let optionChains: [Series<OptionChain>]
    /// How exchanges are to answer; ordered by time.
    public let exchangeScript: [ExchangeScriptEntry]
    /// What is to be replayed, ordered and apart; empty where the recording does not say.
    public let episodes: [Episode]
    /// What was left out while reading.
    public let refused: RefusedRows

    /// Reads CSV files into one recording; a row that is wrong is left out and told in `refused`. Rows of one
    /// symbol may be spread over several files, earlier files first. Throws when a file is, or no row can be
    /// used.
    public static func load(files: [String]) throws(CSVProblem) -> Recording {
        var builder = RecordingBuilder()
        for file in files {
            let bytes = try BoundedFile.read(file, limit: maxFileBytes)
            var csv = try MarketCSV(bytes, file: file)
            try csv.read(into: &builder)
        }
        return try finish(builder, files: files)
    }

    static func finish(_ builder: RecordingBuilder, files: [String]) throws(CSVProblem) -> Recording {
        if let recording = builder.recording() { return recording }
        // The first row that could not be used says more than that there was none.
        throw builder.refused.first.first
            ?? CSVProblem(
                file: files.joined(separator: " "), value: "no rows",
                allowed: "at least one row that can be used")
    }

    /// Reads all `*.csv` files of a directory, in the order of their names.
    public static func load(directory: String) throws(CSVProblem) -> Recording {
        guard let listing = opendir(directory) else {
            let reason = strerror(errno).map { String(cString: $0) } ?? "unknown error"
            throw CSVProblem(file: directory, value: reason, allowed: "a directory with a recorded market")
        }
        defer { closedir(listing) }
        var names: [String] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                // d_name ends with a zero byte (readdir(3)).
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".csv") { names.append(name) }
        }
        return try load(files: names.sorted().map { directory + "/" + $0 })
    }

    /// Where the recorded market that comes with the gateway lies: beside the executable, where SwiftPM puts
    /// it.
    public static func shippedDirectory() -> String {
        let executable = realpath("/proc/self/exe", nil)
        defer { free(executable) }
        let path = executable.map { String(cString: $0) } ?? "."
        let directory = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(
            separator: "/")
        return directory + "/fiml-gateway_MarketData.resources/Recording"
    }
}
