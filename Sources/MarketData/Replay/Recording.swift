import FIMLCore
import Glibc

/// The bars of one asset, oldest first, all of one interval.
public struct BarSeries: Sendable {
    /// What they are of.
    public let asset: Asset
    /// Oldest first.
    public let bars: [Bar]
}

/// The funding rates of one asset.
public struct FundingRateSeries: Sendable {
    /// What they are of.
    public let asset: Asset
    /// The rates of each exchange, oldest first; ordered by the exchange's name.
    public let exchanges: [[FundingRate]]
}

/// A market as it was recorded: series of several assets on one true timeline.
public struct Recording: Sendable {
    /// The largest file that is read.
    public static let maxFileBytes = 256 << 20

    /// Ordered by symbol.
    public let bars: [BarSeries]
    /// Ordered by symbol.
    public let fundingRates: [FundingRateSeries]
    /// What was left out while reading.
    public let refused: RefusedRows

    init(bars: [BarSeries], fundingRates: [FundingRateSeries], refused: RefusedRows) {
        self.bars = bars
        self.fundingRates = fundingRates
        self.refused = refused
    }

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
                allowed: "at least one bar or funding rate")
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

    /// Where the replay of the shipped recording starts unless told otherwise, 2020-02-24: at the default
    /// speed extreme volume comes after 2 seconds, price moves over 5 % from 4 seconds on, high funding after
    /// 19, the next lap after 46.
    public static let shippedStart = Timestamp(milliseconds: 1_582_502_400_000)
}
