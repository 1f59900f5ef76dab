import FIMLCore

/// Reads the rows of one CSV file; its header decides what they are.
struct MarketCSV {
    /// Longer lines are refused.
    static let maxLineBytes = 4_096
    /// More columns are refused.
    static let maxColumns = 64
    /// As long as `Asset.symbol` may be.
    static let maxSymbolBytes = 32
    /// Longer hashes, addresses and names are refused.
    static let maxTextBytes = 128
    /// Longer headlines and addresses of the web, and longer summaries, are refused.
    static let maxTitleBytes = 500
    static let maxSummaryBytes = 2_000
    /// More tickers of one article are refused.
    static let maxTickers = 50

    /// What the rows of a file are. A file with the columns of several is the first of them.
    enum Kind: CaseIterable {
        case exchangeScript, transfers, depth, earnings, fundingRates, options, bars, episodes, news, macro
        case fundamentals

        /// The columns without which it is none, beside `time` or `date`, which episodes do not have.
        var columns: [String] {
            switch self {
            case .exchangeScript: ["exchange", "status_code"]
            case .transfers: ["tx_hash", "amount", "usd_value"]
            case .depth: ["depth_usd"]
            case .earnings: ["quarter_end", "actual_eps"]
            case .fundingRates: ["funding_rate"]
            case .options: ["contract", "kind", "strike", "expires_on"]
            case .bars: ["close"]
            case .episodes: ["from", "to"]
            case .news: ["title"]
            case .macro: ["indicator", "value"]
            case .fundamentals: ["period_end"]
            }
        }

        /// Whether each row is of one asset.
        var isOfAssets: Bool { self != .exchangeScript && self != .episodes && self != .macro }
    }

    let kind: Kind
    /// `time` or `date`.
    let timeColumn: String
    /// What the file's name says, for rows without a symbol.
    let fileSymbol: String
    private let file: String
    private let columns: [String: Int]
    private var lines: CSVLines

    /// Reads the header. Throws when it is of no kind.
    init(_ bytes: [UInt8], file: String) throws(CSVProblem) {
        self.file = file
        lines = CSVLines(bytes)
        guard let header = lines.next(), header.count <= Self.maxLineBytes,
            let names = CSVLines.fields(of: header, limit: Self.maxColumns)
        else {
            throw CSVProblem(file: file, line: 1, value: "", allowed: Self.allowedHeader)
        }
        var columns: [String: Int] = [:]
        for (index, name) in names.enumerated() {
            columns[Self.text(name).lowercased(), default: index] = index
        }
        let timeColumn = ["time", "date"].first { columns[$0] != nil }
        let kind = Kind.allCases.first { kind in
            (kind == .episodes) == (timeColumn == nil) && kind.columns.allSatisfy { columns[$0] != nil }
        }
        guard let kind else {
            throw CSVProblem(
                file: file, line: lines.number, value: Self.text(header), allowed: Self.allowedHeader)
        }
        self.kind = kind
        self.columns = columns
        self.timeColumn = timeColumn ?? "from"
        let name = file.split(separator: "/").last ?? ""
        fileSymbol = String(name.prefix { $0 != "_" && $0 != "." }).uppercased()
        if kind.isOfAssets, columns["symbol"] == nil {
            guard Self.isSymbol(fileSymbol) else {
                throw CSVProblem(file: file, value: fileSymbol, allowed: Self.allowedSymbol)
            }
        }
    }

    /// Hands each row to `recording`, or the reason why it was refused.
    mutating func read(into recording: inout RecordingBuilder) throws(CSVProblem) {
        while let line = lines.next() {
            guard recording.hasRoom else {
                throw CSVProblem(
                    file: file, line: lines.number, value: "more than \(RecordingBuilder.maxRows) rows",
                    allowed: "at most \(RecordingBuilder.maxRows) rows")
            }
            do throws(CSVProblem) {
                try take(row(line), into: &recording)
            } catch {
                recording.refused.add(error)
            }
        }
    }

    private func row(_ line: ArraySlice<UInt8>) throws(CSVProblem) -> CSVRow {
        guard line.count <= Self.maxLineBytes, let fields = CSVLines.fields(of: line, limit: Self.maxColumns)
        else {
            throw CSVProblem(
                file: file, line: lines.number, value: Self.text(line.prefix(40)),
                allowed: "at most \(Self.maxLineBytes) bytes and \(Self.maxColumns) columns a line")
        }
        return CSVRow(file: file, line: lines.number, columns: columns, fields: fields)
    }

    private static let allowedHeader =
        "a header with time (or date) and close (bars), funding_rate (funding rates), depth_usd (depth), "
        + "quarter_end and actual_eps (earnings), tx_hash, amount and usd_value (transfers), period_end "
        + "(fundamentals), indicator and value (macro), title (news), contract, kind, strike and expires_on "
        + "(options), or exchange and status_code (how exchanges answer); or one with from and to, without "
        + "time (episodes)"
    static let allowedSymbol = "1 to \(maxSymbolBytes) letters, digits, or . - / : = ^ &"

    static func isSymbol(_ text: String) -> Bool {
        (1...maxSymbolBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
                    || ".-/:=^&".utf8.contains(byte)
            }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
