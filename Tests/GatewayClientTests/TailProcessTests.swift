import Foundation
import Testing
import WebSocket

@testable import GatewayClient

@Suite("tail as a process: what it prints where, and how it ends")
struct TailProcessTests {
    private static let event =
        #"{"type":"event","position":"5-0","event":{"severity":"high","description":"é"}}"#

    /// The program, which is built beside the tests.
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "fiml-gateway")

    /// A running `tail`, and the server that it talks to.
    private struct Running {
        let process = Process()
        let output = Pipe()
        let errors = Pipe()

        init(_ server: ScriptedServer, _ flags: [String]) throws {
            process.executableURL = TailProcessTests.program
            process.arguments = ["tail", "--url", "ws://127.0.0.1:\(server.port)"] + flags
            process.standardOutput = output
            process.standardError = errors
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        /// The exit code, and what is left to read.
        func end() throws -> (code: Int32, output: String, errors: String) {
            let output = try output.fileHandleForReading.readToEnd() ?? Data()
            let errors = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            return (
                process.terminationReason == .exit ? process.terminationStatus : -1,
                String(decoding: output, as: UTF8.self), String(decoding: errors, as: UTF8.self)
            )
        }
    }

    @Test("--json prints the server's own bytes, and --count ends it with 0")
    func json() throws {
        let server = try ScriptedServer()
        let frames = Frame.encode(.text, Array(Self.event.utf8)) + Frame.close(.normalClosure)
        let thread = try server.serve(frames, inPiecesOf: 4096)
        let end = try Running(server, ["--json", "--count", "1"]).end()
        thread.join()
        #expect(end.code == 0)
        #expect(end.output == Self.event + "\n")
        #expect(end.errors == "fiml-gateway: connected to ws://127.0.0.1:\(server.port)/ws/events\n")
        #expect(server.frames.suffix(8).first == 0x88, "the last frame is a close frame with a code")
    }

    @Test("A close code of 4000 to 4099 ends it with 1 and the reason; no colours go into a pipe")
    func closed() throws {
        let server = try ScriptedServer()
        let frames =
            Frame.encode(.text, Array(Self.event.utf8))
            + Frame.close(.disconnectedByOperator, "bye \u{1B}[2J")
        let thread = try server.serve(frames, inPiecesOf: 4096)
        let end = try Running(server, []).end()
        thread.join()
        #expect(end.code == 1)
        #expect(end.output == "? high     ?        ?                     (market) é 5-0\n")
        #expect(end.errors.hasSuffix("fiml-gateway: closed by the server: 4005 bye \\u{1B}[2J\n"))
    }

    @Test("--timeout ends it with 1 where nothing came")
    func timeout() throws {
        let server = try ScriptedServer()
        let thread = try server.serve(Frame.close(.normalClosure), inPiecesOf: 4096)
        let end = try Running(server, ["--timeout", "1"]).end()
        thread.join()
        #expect(end.code == 1)
        #expect(end.output == "")
        #expect(end.errors.hasSuffix("fiml-gateway: 0 events within 1 s\n"))
    }

    @Test("SIGINT and SIGTERM end it with 0", arguments: [SIGINT, SIGTERM])
    func signal(number: Int32) throws {
        let server = try ScriptedServer()
        let thread = try server.serve(Frame.encode(.text, Array(Self.event.utf8)), inPiecesOf: 4096)
        let tail = try Running(server, [])
        // Once the event is printed, it is in its loop.
        _ = try tail.output.fileHandleForReading.read(upToCount: 1)
        kill(tail.process.processIdentifier, number)
        #expect(try tail.end().code == 0)
        thread.join()
    }

    @Test("It ends quietly with 0 as soon as nobody reads its output, without another event")
    func closedOutput() throws {
        let server = try ScriptedServer()
        let thread = try server.serve(Frame.encode(.text, Array(Self.event.utf8)), inPiecesOf: 4096)
        let tail = try Running(server, [])
        _ = try tail.output.fileHandleForReading.read(upToCount: 1)
        try tail.output.fileHandleForReading.close()
        let errors = try tail.errors.fileHandleForReading.readToEnd() ?? Data()
        tail.process.waitUntilExit()
        thread.join()
        #expect(tail.process.terminationStatus == 0)
        #expect(tail.process.terminationReason == .exit)
        #expect(String(decoding: errors, as: UTF8.self).split(separator: "\n").count == 1)
    }
}
