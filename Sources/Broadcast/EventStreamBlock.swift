import FIMLCore

/// What an event stream is written in (WHATWG HTML 9.2.5): blocks of lines, each ended by an empty one. To a
/// client of HTTP/1.1 each is one chunk (RFC 9112 7.1), so that a block is never shed by half.
public enum EventStreamBlock {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// A message: its type as `event`, its text as `data`.
    public static func encode(_ message: DirectMessage, isChunked: Bool) -> [UInt8] {
        var block: [UInt8] = []
        block.reserveCapacity(message.text.count + 128)
        if let delay = message.retryMilliseconds { block += "retry: \(delay)\n".utf8 }
        if let position = message.position { block += "id: \(position)\n".utf8 }
        block += "event: \(message.type)\n".utf8
        // Our own JSON is one line. Should a store bring text of another's hand, its line ends are whitespace
        // between tokens, and so is the line feed that a client puts between two lines of data.
        let lines = message.text.split(omittingEmptySubsequences: false) {
            $0 == lineFeed || $0 == carriageReturn
        }
        for line in lines {
            block += "data: ".utf8
            block += line
            block.append(lineFeed)
        }
        block.append(lineFeed)
        return isChunked ? chunk(block) : block
    }

    /// A line that clients ignore: it shows proxies that the connection is in use.
    public static func comment(isChunked: Bool) -> [UInt8] {
        let line = Array(":\n\n".utf8)
        return isChunked ? chunk(line) : line
    }

    /// What ends the content: the last chunk. Empty where the end of the connection does.
    public static func end(isChunked: Bool) -> [UInt8] {
        isChunked ? Array("0\r\n\r\n".utf8) : []
    }

    private static func chunk(_ content: [UInt8]) -> [UInt8] {
        var chunk = Array("\(String(content.count, radix: 16))\r\n".utf8)
        chunk.reserveCapacity(chunk.count + content.count + 2)
        chunk += content
        chunk += "\r\n".utf8
        return chunk
    }
}
