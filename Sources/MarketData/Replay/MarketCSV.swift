import FIMLCore

/// Reads rows of bars or funding rates out of one CSV file; the header decides which.
struct MarketCSV {
    /// Longer lines are refused.
    static let maxLineBytes = 4_096
    /// More columns are refused.
    static let maxColumns = 64
    /// As long as `Asset.symbol` may be.
    static let maxSymbolBytes = 32

    private let file: String
    private let columns: [String: Int]
    private let timeColumn: String
    private let fileSymbol: String
    private var lines: CSVLines

    /// Reads the header. Throws when it lacks what both kinds need.
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
        guard columns["close"] != nil || columns["funding_rate"] != nil,
            let timeColumn = ["time", "date"].first(where: { columns[$0] != nil })
        else {
            throw CSVProblem(
                file: file, line: lines.number, value: Self.text(header), allowed: Self.allowedHeader)
        }
        self.columns = columns
        self.timeColumn = timeColumn
        let name = file.split(separator: "/").last ?? ""
        fileSymbol = String(name.prefix { $0 != "_" && $0 != "." }).uppercased()
        if columns["symbol"] == nil {
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
                try readRow(line, into: &recording)
            } catch {
                recording.refused.add(error)
            }
        }
    }

    private func readRow(
        _ line: ArraySlice<UInt8>, into recording: inout RecordingBuilder
    ) throws(CSVProblem) {
        guard line.count <= Self.maxLineBytes, let fields = CSVLines.fields(of: line, limit: Self.maxColumns)
        else {
            throw CSVProblem(
                file: file, line: lines.number, value: Self.text(line.prefix(40)),
                allowed: "at most \(Self.maxLineBytes) bytes and \(Self.maxColumns) columns a line")
        }
        let timeText = field(timeColumn, fields) ?? []
        guard let (time, isDay) = CSVTime.parse(timeText) else {
            throw problem(timeColumn, timeText, CSVTime.allowed)
        }
        let isNewest =
            if columns["funding_rate"] != nil {
                recording.add(
                    asset: try asset(fields, default: .crypto), exchange: try exchange(fields),
                    rate: try number("funding_rate", fields, from: -1, "a number from -1 to 1", through: 1),
                    // A figure for a whole day is known when the day is over.
                    knownAt: isDay ? Timestamp(milliseconds: time.milliseconds + 86_400_000) : time)
            } else {
                recording.add(
                    try bar(fields, opensAt: time), isDay: isDay, of: try asset(fields, default: .equity))
            }
        guard isNewest else {
            throw problem(timeColumn, timeText, "a time after that of the symbol's row before")
        }
    }

    private func bar(_ fields: [ArraySlice<UInt8>], opensAt: Timestamp) throws(CSVProblem) -> Bar {
        let close = try price("close", fields)
        let open = has("open", fields) ? try price("open", fields) : close
        let high = has("high", fields) ? try price("high", fields) : max(open, close)
        let low = has("low", fields) ? try price("low", fields) : min(open, close)
        guard low <= min(open, close) else {
            throw problem("low", field("low", fields) ?? [], "at most open and close")
        }
        guard high >= max(open, close) else {
            throw problem("high", field("high", fields) ?? [], "at least open and close")
        }
        let volume: Double? =
            has("volume", fields)
            ? try number("volume", fields, from: 0, "a number from 0 to 1e18", through: 1e18) : nil
        // The recording sets the interval once it knows all bars.
        return Bar(
            opensAt: opensAt, intervalSeconds: 1, open: open, high: high, low: low, close: close,
            volume: volume)
    }

    private func asset(_ fields: [ArraySlice<UInt8>], default type: AssetType) throws(CSVProblem) -> Asset {
        var symbol = fileSymbol
        if columns["symbol"] != nil {
            symbol = Self.text(field("symbol", fields) ?? []).uppercased()
            guard Self.isSymbol(symbol) else {
                throw problem("symbol", Array(symbol.utf8)[...], Self.allowedSymbol)
            }
        }
        var assetType = type
        if has("asset_type", fields), let text = field("asset_type", fields) {
            guard let named = AssetType(rawValue: Self.text(text).lowercased()) else {
                let known = AssetType.allCases.map(\.rawValue).joined(separator: ", ")
                throw problem("asset_type", text, "one of \(known)")
            }
            assetType = named
        }
        return Asset(symbol: symbol, assetType: assetType, market: assetType == .crypto ? .crypto : .us)
    }

    private func exchange(_ fields: [ArraySlice<UInt8>]) throws(CSVProblem) -> String {
        guard has("exchange", fields), let text = field("exchange", fields) else { return "unknown" }
        let name = Self.text(text).lowercased()
        guard Self.isSymbol(name) else { throw problem("exchange", text, Self.allowedSymbol) }
        return name
    }

    private func price(_ column: String, _ fields: [ArraySlice<UInt8>]) throws(CSVProblem) -> Double {
        try number(
            column, fields, from: .leastNormalMagnitude, "a number greater than 0 and at most 1e15",
            through: 1e15)
    }

    private func number(
        _ column: String, _ fields: [ArraySlice<UInt8>], from least: Double, _ allowed: String,
        through greatest: Double
    ) throws(CSVProblem) -> Double {
        let text = field(column, fields) ?? []
        // Only decimal digits: Double would also take "nan", "inf" and hexadecimal.
        let isDecimal = text.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard isDecimal, let number = Double(Self.text(text)), number >= least, number <= greatest else {
            throw problem(column, text, allowed)
        }
        return number
    }

    private func has(_ column: String, _ fields: [ArraySlice<UInt8>]) -> Bool {
        field(column, fields)?.isEmpty == false
    }

    private func field(_ column: String, _ fields: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
        guard let index = columns[column], index < fields.count else { return nil }
        return fields[index]
    }

    private func problem(_ column: String, _ value: ArraySlice<UInt8>, _ allowed: String) -> CSVProblem {
        CSVProblem(
            file: file, line: lines.number, column: column, value: Self.text(value.prefix(80)),
            allowed: allowed)
    }

    private static let allowedHeader =
        "a header with time (or date) and close (bars), or time (or date) and funding_rate (funding rates)"
    private static let allowedSymbol = "1 to \(maxSymbolBytes) letters, digits, or . - / : = ^ &"

    private static func isSymbol(_ text: String) -> Bool {
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
