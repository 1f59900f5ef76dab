import Glibc

/// Finds line ends in bytes that arrive in pieces, looking at each byte once, so that a client which sends
/// single bytes costs no more than one which sends all at once.
///
/// Offsets count from the start of the text that is scanned, which may move within the buffer between calls.
struct LineScanner {
    /// Where the line begins that is being looked for.
    private var lineStart = 0
    /// Bytes already looked at.
    private var scanned = 0

    /// The offset after the CRLF of the next line, or nil if it has not arrived. Throws `.bareLineFeed`, or
    /// `excess` once it is certain that the offset will be beyond `limit`.
    mutating func nextLineEnd(
        in buffer: [UInt8], from start: Int, limit: Int, excess: HTTPViolation
    ) throws(HTTPViolation) -> Int? {
        let available = buffer.count - start
        guard let lineFeed = LineScanner.lineFeed(in: buffer, from: start + scanned).map({ $0 - start })
        else {
            guard available < limit else { throw excess }
            scanned = available
            return nil
        }
        guard lineFeed < limit else { throw excess }
        // RFC 9112 section 2.2 lets a recipient take a lone LF as a line end; a server that does can be made
        // to see a request that a proxy in front did not.
        guard lineFeed > lineStart, buffer[start + lineFeed - 1] == .carriageReturn else {
            throw .bareLineFeed
        }
        scanned = lineFeed + 1
        lineStart = scanned
        return scanned
    }

    /// The offset after the empty line that ends a field section, or nil if it has not arrived.
    mutating func sectionEnd(
        in buffer: [UInt8], from start: Int, limit: Int
    ) throws(HTTPViolation) -> Int? {
        var line = lineStart
        while let end = try nextLineEnd(
            in: buffer, from: start, limit: limit, excess: .fieldSectionTooLarge(limit: limit))
        {
            if end - line == 2 { return end }
            line = end
        }
        return nil
    }

    private static func lineFeed(in buffer: [UInt8], from start: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress else { return nil }
            // The bytes from start to count lie inside the array, which outlives the closure.
            let found = memchr(base + start, Int32(UInt8.lineFeed), bytes.count - start)
            return found.map { base.distance(to: UnsafeRawPointer($0)) }
        }
    }
}
