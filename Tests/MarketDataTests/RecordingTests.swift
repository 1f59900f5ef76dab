import FIMLCore
import Testing

@testable import MarketData

@Suite("Files of market data become one recording")
struct RecordingTests {
    @Test("a file that cannot be read is named with the reason")
    func unreadable() {
        let missing = #expect(throws: CSVProblem.self) { try Recording.load(files: ["/nonexistent/x.csv"]) }
        #expect(missing?.value == "No such file or directory")
        let directory = #expect(throws: CSVProblem.self) { try Recording.load(files: [shippedRecording]) }
        #expect(directory?.value == "Is a directory")
        let noDirectory = #expect(throws: CSVProblem.self) { try Recording.load(directory: "/nonexistent") }
        #expect(noDirectory?.file == "/nonexistent")
    }

    @Test("a file larger than allowed is refused, an endless one too")
    func tooLarge() {
        #expect(throws: CSVProblem.self) { try BoundedFile.read("/dev/zero", limit: 100_000) }
    }

    @Test("one symbol may be spread over several files; what was there already is refused")
    func severalFiles() throws {
        let first = (name: "A_1.csv", bytes: Array("time,close\n60,1\n120,2\n".utf8))
        let second = (name: "A_2.csv", bytes: Array("time,close\n120,9\n180,3\n".utf8))
        let recording = try parseRecording([first, second])
        #expect(recording.bars[0].figures.map(\.close) == [1, 2, 3])
        #expect(recording.refused.count == 1)
    }
}
