import Foundation
import Locking
import Testing

@testable import Observability

@Suite("The log is one record a line, filtered by level, and never waits")
struct LogTests {
    /// Keeps lines; refuses them while `isFull`.
    private final class Lines: Sendable {
        let state = Locked((lines: [String](), isFull: false))

        var all: [String] { state.withLock { $0.lines } }

        func setFull(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }

        func write(_ line: String) -> Bool {
            state.withLock { state in
                if !state.isFull { state.lines.append(line) }
                return !state.isFull
            }
        }
    }

    private let lines = Lines()

    private func log(_ level: LogLevel = .debug, _ format: LogFormat = .json) -> Log {
        // 2024-11-24T02:40:00.125Z
        Log(
            level: level, format: format, now: { Date(timeIntervalSince1970: 1_732_416_000.125) },
            sink: lines.write)
    }

    @Test("A record is a JSON object with time, level, message and typed fields")
    func json() throws {
        log().info(
            "listening", ["port": 8000, "tls": false, "ratio": 0.5, "host": "::1", "bad": .number(.nan)])
        #expect(
            lines.all == [
                #"{"time":"2024-11-24T02:40:00.125Z","level":"INFO","message":"listening","port":8000,"#
                    + #""tls":false,"ratio":0.5,"host":"::1","bad":null}"# + "\n"
            ])
    }

    @Test("Whatever is in a text, the record stays one line of valid JSON with that text")
    func escaping() throws {
        let hostile =
            String(String.UnicodeScalarView((0...0x2FF).compactMap(Unicode.Scalar.init))) + "\u{2028}😀"
        log().warning(hostile, ["text": .text(hostile), hostile: 1])
        let line = try #require(lines.all.first)
        #expect(line.filter(\.isNewline).count == 1)
        #expect(
            !line.dropLast().unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        #expect(object?["message"] as? String == hostile)
        #expect(object?["text"] as? String == hostile)
    }

    @Test("On a terminal a record is short, and cannot steer the terminal")
    func terminal() {
        log(.debug, .terminal).info("client \u{1B}[2Jgone", ["code": 1006, "why": "no pong", "from": "::1"])
        #expect(
            lines.all == [#"02:40:00 INFO    client \u001b[2Jgone code=1006 why="no pong" from=::1"# + "\n"])
    }

    @Test("Records below the level are not even built", arguments: LogLevel.allCases)
    func levels(level: LogLevel) {
        let built = Locked(0)
        func message() -> String {
            built.withLock { $0 += 1 }
            return "m"
        }
        let log = log(level)
        log.debug(message())
        log.info(message())
        log.warning(message())
        log.error(message())
        let expected = [LogLevel.debug: 4, .info: 3, .warning: 2, .error: 1][level]
        #expect(lines.all.count == expected)
        #expect(built.withLock { $0 } == expected)
    }

    @Test("A full output drops records and says later how many")
    func dropping() {
        let log = log()
        lines.setFull(true)
        for _ in 0..<3 { log.error("lost") }
        lines.setFull(false)
        log.info("back")
        log.info("more")
        #expect(lines.all.count == 3)
        #expect(
            lines.all.first?.hasSuffix(
                #""level":"WARNING","message":"log records dropped","count":3}"# + "\n") == true)
        #expect(lines.all.last?.contains("more") == true)
    }

    @Test(
        "Fields that speak of secrets are hidden",
        arguments: ["token", "Authorization", "api_key", "db_password"])
    func secrets(name: String) {
        log().error("x", [name: "hunter2"])
        log(.debug, .terminal).error("x", [name: "hunter2"])
        #expect(lines.all.count == 2)
        #expect(lines.all.allSatisfy { !$0.contains("hunter2") && $0.contains("(hidden)") })
    }
}
