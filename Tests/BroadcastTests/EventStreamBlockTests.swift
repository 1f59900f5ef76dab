import FIMLCore
import Testing
import WebSocket

@testable import Broadcast

@Suite("WHATWG HTML 9.2: an event stream says what a WebSocket says, in blocks that are chunks")
struct EventStreamBlockTests {
    private let position = StreamPosition(milliseconds: 1_732_416_001_104, sequence: 7)

    private func text(_ message: DirectMessage, isChunked: Bool = false) -> String {
        String(decoding: FrameEncoding.eventStream(isChunked: isChunked).encode(message), as: UTF8.self)
    }

    @Test("A block has the delay, the position, the type and the message, in lines that an empty one ends")
    func whole() {
        let message = DirectMessage(
            type: "heartbeat", text: Array(#"{"type":"heartbeat"}"#.utf8), position: position,
            retryMilliseconds: 2500)
        #expect(
            text(message)
                == "retry: 2500\nid: 1732416001104-7\nevent: heartbeat\ndata: {\"type\":\"heartbeat\"}\n\n")
    }

    @Test("What is not said has no line: a client keeps the position and the delay that it has")
    func parts() {
        #expect(text(DirectMessage(type: "gap", text: Array("{}".utf8))) == "event: gap\ndata: {}\n\n")
    }

    @Test(
        "Line ends in a message become lines of data, so that none begins a field",
        arguments: [
            ("{\n}", "data: {\ndata: }\n\n"), ("{\r}", "data: {\ndata: }\n\n"),
            ("{\r\n}", "data: {\ndata: \ndata: }\n\n"), ("{}\n", "data: {}\ndata: \n\n"),
            ("{}\nid: 9-9\n\n", "data: {}\ndata: id: 9-9\ndata: \ndata: \n\n"),
        ])
    func lineEnds(message: String, lines: String) {
        #expect(text(DirectMessage(type: "event", text: Array(message.utf8))) == "event: event\n" + lines)
    }

    @Test("RFC 9112 7.1: a chunk tells its length in hexadecimal digits")
    func chunk() {
        let message = DirectMessage(type: "gap", text: Array("{\"a\":1}".utf8))
        #expect(text(message, isChunked: true) == "1a\r\nevent: gap\ndata: {\"a\":1}\n\n\r\n")
        #expect(EventStreamBlock.comment(isChunked: true) == Array("3\r\n:\n\n\r\n".utf8))
        #expect(EventStreamBlock.end(isChunked: true) == Array("0\r\n\r\n".utf8))
    }

    @Test("HTTP/1.0: nothing but the blocks, and no end but that of the connection")
    func unchunked() {
        #expect(EventStreamBlock.comment(isChunked: false) == Array(":\n\n".utf8))
        #expect(EventStreamBlock.end(isChunked: false).isEmpty)
    }

    @Test(
        "An event's block is made once for all who ask, and has the event's position",
        arguments: [true, false])
    func shared(isChunked: Bool) {
        let one = publication(65)
        let encoding = FrameEncoding.eventStream(isChunked: isChunked)
        let first = one.frame(encoding, Deflater())
        let second = one.frame(encoding, Deflater())
        let isSameMemory = first.withUnsafeBytes { a in
            second.withUnsafeBytes { a.baseAddress == $0.baseAddress }
        }
        #expect(isSameMemory)
        let block = "id: 65-0\nevent: event\ndata: " + String(repeating: "A", count: 100) + "\n\n"
        let expected = isChunked ? "82\r\n" + block + "\r\n" : block
        #expect(String(decoding: first, as: UTF8.self) == expected)
    }

    @Test("A round gives the blocks of a set, in order, beside the frames that it gives others")
    func round() {
        let publications = (66...68 as ClosedRange<UInt64>).map { publication($0, size: 1) }
        var round = Round(publications[...])
        let deflater = Deflater()
        let blocks = round.bytes(0b101, .eventStream(isChunked: false), deflater)
        let frames = round.bytes(0b101, .plain, deflater)
        #expect(
            String(decoding: blocks, as: UTF8.self)
                == "id: 66-0\nevent: event\ndata: B\n\nid: 68-0\nevent: event\ndata: D\n\n")
        #expect(frames == publications[0].frame + publications[2].frame)
        #expect(round.bytes(0b101, .eventStream(isChunked: false), deflater) == blocks)
    }
}
