import Glibc
import Testing

@testable import Observability

@Suite("The log never waits for its reader")
struct LineOutputTests {
    /// A pipe, closed at the end; -1 stands for an end that is closed already.
    private func withPipe(_ body: (_ readEnd: inout Int32, _ output: LineOutput) throws -> Void) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        var readEnd = ends[0]
        defer {
            close(ends[1])
            if readEnd >= 0 { close(readEnd) }
        }
        try body(&readEnd, LineOutput(descriptor: ends[1]))
    }

    private func read(_ descriptor: Int32) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(descriptor, &buffer, buffer.count)
        return Array(buffer.prefix(max(0, count)))
    }

    @Test("A pipe that nobody empties refuses lines, and takes them again once there is room")
    func fullPipe() throws {
        try withPipe { readEnd, output in
            let line = String(repeating: "x", count: 1000) + "\n"
            var taken = 0
            while output.write(line) && taken < 10_000 { taken += 1 }
            #expect((10..<2000).contains(taken))
            #expect(read(readEnd).count == taken * 1001)
            #expect(output.write(line))
        }
    }

    @Test("A line longer than a pipe takes at once is cut and still ends")
    func longLine() throws {
        try withPipe { readEnd, output in
            #expect(output.write(String(repeating: "x", count: 10_000) + "\n"))
            let bytes = read(readEnd)
            #expect(bytes.count == 4096)
            #expect(bytes.last == UInt8(ascii: "\n"))
        }
    }

    @Test("A pipe without a reader refuses lines, without a signal")
    func noReader() throws {
        try withPipe { readEnd, output in
            close(readEnd)
            readEnd = -1
            #expect(!output.write("lost\n"))
            #expect(!output.isTerminal)
        }
    }
}
