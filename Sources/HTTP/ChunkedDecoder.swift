/// Removes the chunked transfer coding (RFC 9112 section 7.1) from bytes that arrive in pieces.
///
/// ```
/// size ──► extension ──► sizeLineFeed ──► data ──► dataCarriageReturn ──► dataLineFeed ──► size
///                             └── size 0 ──► trailers ──► done
/// ```
struct ChunkedDecoder {
    private enum State {
        /// Reading the digits of a size; so many have come.
        case size(digits: Int)
        case `extension`
        case sizeLineFeed
        case data
        case dataCarriageReturn
        case dataLineFeed
        case trailers(LineScanner)
    }

    /// More digits than this do not fit 64 bits.
    private static let maximumSizeDigits = 16
    /// Bytes of framing that each byte of data pays for. A chunk of one byte needs five.
    private static let framingPerDataByte = 8

    private var state = State.size(digits: 0)
    /// The size of the chunk, later how much of it is still to come.
    private var chunkBytes: UInt64 = 0
    /// Bytes that were not data: sizes, extensions, line ends.
    private var framingBytes = 0

    /// Decodes from `position` on, which moves past all that is done with, and appends the data to `body`.
    /// True once the end of the body was read, false if there must be more.
    mutating func decode(
        _ buffer: [UInt8], from position: inout Int, into body: inout [UInt8], limits: HTTPLimits
    ) throws(HTTPViolation) -> Bool {
        while true {
            switch state {
            case .trailers(var scanner):
                guard
                    let end = try scanner.sectionEnd(
                        in: buffer, from: position, limit: limits.fieldSectionBytes)
                else {
                    state = .trailers(scanner)
                    return false
                }
                // Section 7.1.2 allows to discard trailer fields; they are checked all the same.
                let section = Array(buffer[position..<(position + end)])
                _ = try HTTPFields(section: section, countLimit: limits.fieldCount)
                position += end
                return true
            case .data:
                let end = position + Int(min(chunkBytes, UInt64(buffer.count - position)))
                guard end > position else { return false }
                body.append(contentsOf: buffer[position..<end])
                chunkBytes -= UInt64(end - position)
                position = end
                if chunkBytes == 0 { state = .dataCarriageReturn }
            case .size, .extension, .sizeLineFeed, .dataCarriageReturn, .dataLineFeed:
                guard position < buffer.count else { return false }
                state = try state(after: buffer[position], bodyBytes: body.count, limits: limits)
                position += 1
                framingBytes += 1
                // Section 7.1.1: a server ought to limit the length of chunk extensions. This limits tiny
                // chunks as well.
                let allowance = limits.fieldSectionBytes + body.count * ChunkedDecoder.framingPerDataByte
                guard framingBytes <= allowance else { throw .chunkFramingTooLarge }
            }
        }
    }

    /// Takes one byte of framing. `bodyBytes` is how much has been decoded.
    private mutating func state(
        after byte: UInt8, bodyBytes: Int, limits: HTTPLimits
    ) throws(HTTPViolation) -> State {
        switch state {
        case .size(let digits):
            if let value = byte.hexValue {
                guard digits < ChunkedDecoder.maximumSizeDigits else { throw .invalidChunkSize }
                chunkBytes = chunkBytes << 4 | UInt64(value)
                return .size(digits: digits + 1)
            }
            guard digits > 0 else { throw .invalidChunkSize }
            // The size is complete, and judged before any of the data is waited for.
            guard chunkBytes <= UInt64(limits.bodyBytes - bodyBytes) else {
                throw .bodyTooLarge(limit: limits.bodyBytes)
            }
            switch byte {
            case UInt8(ascii: ";"): return .extension
            case .carriageReturn: return .sizeLineFeed
            case .lineFeed: throw .bareLineFeed
            default: throw .invalidChunkSize
            }
        case .extension:
            switch byte {
            case .carriageReturn: return .sizeLineFeed
            case .lineFeed: throw .bareLineFeed
            default:
                guard byte.isFieldValueByte else { throw .invalidChunkExtension }
                return .extension
            }
        case .sizeLineFeed:
            guard byte == .lineFeed else { throw .bareCarriageReturn }
            return chunkBytes == 0 ? .trailers(LineScanner()) : .data
        case .dataCarriageReturn:
            guard byte == .carriageReturn else { throw .chunkNotTerminated }
            return .dataLineFeed
        case .dataLineFeed:
            guard byte == .lineFeed else { throw .chunkNotTerminated }
            return .size(digits: 0)
        case .data, .trailers:
            // Not framing: decode(_:from:into:limits:) takes these in bulk.
            return state
        }
    }
}
