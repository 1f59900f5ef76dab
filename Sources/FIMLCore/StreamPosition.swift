/// A place in the event stream, printed `<milliseconds>-<sequence>` as Redis stream ids are. Grows strictly.
public struct StreamPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Milliseconds since 1970-01-01T00:00:00Z, by the store's clock.
    public var milliseconds: UInt64
    /// Tells apart what was stored within one millisecond.
    public var sequence: UInt64

    /// A position from its two parts.
    public init(milliseconds: UInt64, sequence: UInt64) {
        self.milliseconds = milliseconds
        self.sequence = sequence
    }

    /// Reads `1732416001104-0`: two decimal numbers of 64 bits without sign or leading zeros. nil for
    /// anything else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Self.number(parts[0]), let sequence = Self.number(parts[1])
        else {
            return nil
        }
        self.init(milliseconds: milliseconds, sequence: sequence)
    }

    private static func number(_ digits: Substring) -> UInt64? {
        // The initialiser takes a sign; one position must have one spelling only.
        guard let number = UInt64(digits), String(number) == digits else { return nil }
        return number
    }

    /// Before every position that is ever assigned.
    public static let zero = StreamPosition(milliseconds: 0, sequence: 0)

    /// Earlier in the stream is less.
    public static func < (left: StreamPosition, right: StreamPosition) -> Bool {
        (left.milliseconds, left.sequence) < (right.milliseconds, right.sequence)
    }

    /// `1732416001104-0`.
    public var description: String {
        "\(milliseconds)-\(sequence)"
    }
}

extension StreamPosition: JSONWritable {
    /// Writes `description` as a string.
    public func write(to writer: inout JSONWriter) {
        writer.string(description)
    }
}

extension StreamPosition {
    /// A position after which all is that was stored from that moment on.
    public static func before(_ time: Timestamp) -> StreamPosition {
        StreamPosition(milliseconds: UInt64(clamping: time.milliseconds), sequence: 0).predecessor
    }

    /// The first position that may follow this one.
    public var successor: StreamPosition {
        sequence < .max
            ? StreamPosition(milliseconds: milliseconds, sequence: sequence + 1)
            : StreamPosition(milliseconds: milliseconds &+ 1, sequence: 0)
    }

    /// A position that is before this one and not before any earlier one.
    public var predecessor: StreamPosition {
        if sequence > 0 { return StreamPosition(milliseconds: milliseconds, sequence: sequence - 1) }
        guard milliseconds > 0 else { return .zero }
        return StreamPosition(milliseconds: milliseconds - 1, sequence: .max)
    }
}
