/// A parameter of a statement, in PostgreSQL's binary format (the `…recv` functions of its types).
enum PostgresValue {
    case text(String)
    case integer(Int64)
    /// Texts, in an array.
    case texts([String])
    /// Values of type `bytea`, in an array.
    case byteStrings([[UInt8]])
    /// 64-bit integers, in an array.
    case integers([Int64])
    /// A text that is not there.
    case none

    /// The type's number, which never changes (pg_type.dat).
    var type: UInt32 {
        switch self {
        case .text, .none: 25
        case .integer: 20
        case .texts: 1009
        case .byteStrings: 1001
        case .integers: 1016
        }
    }

    /// Nil for NULL.
    var bytes: [UInt8]? {
        switch self {
        case .text(let text): Array(text.utf8)
        case .integer(let number): Self.bigEndian(number)
        case .texts(let texts): Self.array(of: 25, texts.map { Array($0.utf8) })
        case .byteStrings(let strings): Self.array(of: 17, strings)
        case .integers(let numbers): Self.array(of: 20, numbers.map(Self.bigEndian))
        case .none: nil
        }
    }

    /// The number in a column of type `bigint`; nil where there is none.
    static func integer(_ column: [UInt8]?) -> Int64? {
        guard let column, column.count == 8 else { return nil }
        return column.reduce(0) { $0 << 8 | Int64($1) }
    }

    /// As `array_recv` reads it: dimensions, a flag for NULLs, the type, and of the one dimension its length
    /// and lower bound; then each element after its length.
    private static func array(of type: Int32, _ elements: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(20 + elements.reduce(0) { $0 + $1.count + 4 })
        for number in [1, 0, type, Int32(elements.count), 1] { bytes += bigEndian(number) }
        for element in elements {
            bytes += bigEndian(Int32(element.count))
            bytes += element
        }
        return bytes
    }

    private static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        stride(from: number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
