import GatewayTesting
import WebSocket

/// What a reader made of its input, step by step.
enum Outcome: Equatable {
    case event(WebSocketEvent)
    case violation(ProtocolViolation)

    static func text(_ text: String) -> Outcome {
        .event(.message(opcode: .text, payload: Array(text.utf8)))
    }

    static func binary(_ bytes: [UInt8]) -> Outcome {
        .event(.message(opcode: .binary, payload: bytes))
    }
}

extension WebSocketReader {
    /// A server's reader with limits that are out of the way.
    static func server(
        maxMessageBytes: Int = 1 << 20, maxInflatedBytes: Int = 1 << 20, deflate: DeflateParameters? = nil
    ) -> WebSocketReader {
        WebSocketReader(
            role: .server, maxMessageBytes: maxMessageBytes, maxInflatedBytes: maxInflatedBytes,
            deflate: deflate)
    }

    /// Feeds `part` out of a buffer that is exactly as long, and is overwritten afterwards: nothing may refer
    /// to it.
    mutating func outcomes(_ part: some Collection<UInt8>, inflater: Inflater = Inflater()) -> [Outcome] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: part.count, alignment: 1)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: part)
        var unread = buffer
        var outcomes: [Outcome] = []
        do throws(ProtocolViolation) {
            while let event = try next(&unread, inflater: inflater) {
                outcomes.append(.event(event))
            }
            precondition(unread.isEmpty, "nil means that the input is used up")
        } catch {
            outcomes.append(.violation(error))
        }
        for index in buffer.indices {
            buffer[index] = 0xEE
        }
        return outcomes
    }
}

extension SeededGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &self) }
    }
}

/// The bytes that a string of hexadecimal digits stands for; spaces are for the eye.
func hex(_ digits: String) -> [UInt8] {
    let nibbles = digits.compactMap(\.hexDigitValue)
    precondition(nibbles.count % 2 == 0)
    return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
}
