import FIMLCore

/// One row of a file of market data. Reads its fields by the names of their columns; what is wrong is thrown
/// with its place.
struct CSVRow {
    let file: String
    let line: Int
    /// Where each column is, by its header in lower case.
    let columns: [String: Int]
    let fields: [ArraySlice<UInt8>]

    /// The moment of a column, and whether it names a whole day.
    func time(_ column: String) throws(CSVProblem) -> (time: Timestamp, isDay: Bool) {
        guard let time = CSVTime.parse(bytes(column)) else { throw problem(column, CSVTime.allowed) }
        return time
    }

    /// From when on a figure is known; one for a whole day is when the day is over.
    func knownAt(_ column: String) throws(CSVProblem) -> Timestamp {
        let (time, isDay) = try time(column)
        return isDay ? Timestamp(milliseconds: time.milliseconds + 86_400_000) : time
    }

    /// The asset of column `symbol`, or of the file's name where there is no such column.
    func asset(_ fileSymbol: String, default type: AssetType) throws(CSVProblem) -> Asset {
        var symbol = fileSymbol
        if columns["symbol"] != nil { symbol = try name("symbol").uppercased() }
        var assetType = type
        if has("asset_type") {
            guard let named = AssetType(rawValue: text("asset_type").lowercased()) else {
                let known = AssetType.allCases.map(\.rawValue).joined(separator: ", ")
                throw problem("asset_type", "one of \(known)")
            }
            assetType = named
        }
        return Asset(symbol: symbol, assetType: assetType, market: assetType == .crypto ? .crypto : .us)
    }

    /// An exchange in lower case; `unknown` where none is given.
    func exchange() throws(CSVProblem) -> String {
        has("exchange") ? try name("exchange").lowercased() : "unknown"
    }

    /// A price in the asset's currency.
    func price(_ column: String) throws(CSVProblem) -> Double {
        try number(column, .leastNormalMagnitude...1e15, "a number greater than 0 and at most 1e15")
    }

    /// A number within bounds, which `allowed` names.
    func number(
        _ column: String, _ bounds: ClosedRange<Double>, _ allowed: String
    ) throws(CSVProblem) -> Double {
        let bytes = bytes(column)
        // Only decimal digits: Double would also take "nan", "inf" and hexadecimal.
        let isDecimal = bytes.allSatisfy { "0123456789+-.eE".utf8.contains($0) }
        guard isDecimal, let number = Double(text(column)), bounds.contains(number) else {
            throw problem(column, allowed)
        }
        return number
    }

    /// A number within bounds; nil where the field is empty.
    func numberIfGiven(
        _ column: String, _ bounds: ClosedRange<Double>, _ allowed: String
    ) throws(CSVProblem) -> Double? {
        has(column) ? try number(column, bounds, allowed) : nil
    }

    /// A whole number within bounds.
    func integer(_ column: String, _ bounds: ClosedRange<Int>) throws(CSVProblem) -> Int {
        guard bytes(column).count <= 18, let number = Int(text(column)), bounds.contains(number) else {
            throw problem(column, "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// The start of the day that a column names.
    func day(_ column: String) throws(CSVProblem) -> Timestamp {
        let (time, isDay) = try time(column)
        guard isDay else { throw problem(column, "YYYY-MM-DD") }
        return time
    }

    /// Text of at most `limit` bytes without control characters; nil where the field is empty.
    func textIfGiven(_ column: String, limit: Int = MarketCSV.maxTextBytes) throws(CSVProblem) -> String? {
        let bytes = bytes(column)
        if bytes.isEmpty { return nil }
        guard bytes.count <= limit, bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }),
            let text = String(validating: bytes, as: UTF8.self)
        else {
            throw problem(column, "at most \(limit) bytes of UTF-8 without control characters")
        }
        return text
    }

    /// Whether a column is there and not empty.
    func has(_ column: String) -> Bool {
        !bytes(column).isEmpty
    }

    /// What is wrong with a field of this row.
    func problem(_ column: String, _ allowed: String) -> CSVProblem {
        CSVProblem(
            file: file, line: line, column: column,
            value: String(decoding: bytes(column).prefix(80), as: UTF8.self), allowed: allowed)
    }

    private func name(_ column: String) throws(CSVProblem) -> String {
        let name = text(column)
        guard MarketCSV.isSymbol(name) else { throw problem(column, MarketCSV.allowedSymbol) }
        return name
    }

    private func text(_ column: String) -> String {
        String(decoding: bytes(column), as: UTF8.self)
    }

    private func bytes(_ column: String) -> ArraySlice<UInt8> {
        guard let index = columns[column], index < fields.count else { return [] }
        return fields[index]
    }
}
