import Testing
import WebSocket

@testable import gateway_bench

@Suite("The load generator counts delivered events, and nothing else")
struct FrameTallyTests {
    private static let event = Array(#"{"type":"event","position":"1-0","event":{"data":{"t":1}}}"#.utf8)
    private static let greeting = Array(#"{"type":"welcome","protocol":"fiml.v1.json"}"#.utf8)
    /// Two events, one of them long, and five frames that are none.
    private static let stream =
        Frame.encode(.text, greeting)
        + Frame.encode(.text, event)
        + Frame.encode(.ping, [1, 2, 3])
        + Frame.encode(.text, [])
        + Frame.encode(.text, Array("{}".utf8))
        + Frame.encode(.text, event + [UInt8](repeating: 32, count: 70_000))
        + Frame.close(.normalClosure)

    /// Shows the stream in two parts, as a connection does: what was not used comes again.
    private static func tally(splitAt split: Int) throws -> FrameTally {
        var tally = FrameTally()
        var rest = 0
        var carried: [UInt8] = []
        for part in [stream[..<split], stream[split...]] {
            let bytes = carried + part
            let used = try bytes.withUnsafeBytes { try tally.scan($0, rest: &rest, isSampled: true) }
            carried = Array(bytes[used...])
        }
        #expect(carried.isEmpty && rest == 0, "split at \(split)")
        return tally
    }

    @Test("Wherever the stream is cut, the counts are the same")
    func everySplitPoint() throws {
        for split in Array(0..<400) + [65_535, 65_536, Self.stream.count - 3, Self.stream.count] {
            let tally = try Self.tally(splitAt: split)
            #expect(tally.events == 2, "split at \(split)")
            #expect(tally.lastEventBytes == Self.event.count + 70_000, "split at \(split)")
            #expect(tally.others == 3, "split at \(split)")
            #expect(tally.closes == 1, "split at \(split)")
        }
    }

    @Test("A compressed frame is a greeting before the counting begins, and an event after")
    func compressed() throws {
        let frame = Frame.encode(.text, [1, 2, 3], isCompressed: true)
        var tally = FrameTally()
        var rest = 0
        _ = try frame.withUnsafeBytes { try tally.scan($0, rest: &rest, isSampled: false) }
        #expect(tally.others == 1 && tally.events == 0)
        tally.isCounting = true
        _ = try frame.withUnsafeBytes { try tally.scan($0, rest: &rest, isSampled: false) }
        #expect(tally.others == 1 && tally.events == 1)
    }
}

@Suite("Benchmark scenarios are what their names say")
struct ScenarioTests {
    @Test("1,000 filters are distinct, and one subscriber in 100 has one that matches")
    func filters() {
        let scenario = Scenario(server: .gateway, subscribers: .oneInHundred)
        let targets = (0..<scenario.connections).map(scenario.target)
        let matching = targets.filter { $0.contains("BTC") }
        #expect(Set(targets).count == 1000)
        #expect(Set(matching).count == 10)
        #expect(matching.count == scenario.receivers)
        let alone = Scenario(server: .gateway, subscribers: .matchingAlone)
        #expect((0..<alone.connections).map(alone.target).sorted() == matching.sorted())
    }

    @Test("The median of an even count lies between the middle two")
    func middle() {
        #expect(median([4, 1, 3, 2]) == 2.5)
        #expect(median([9, 1, 2]) == 2)
        #expect(median([]) == 0)
    }

    @Test("99 % of the values lie below the 99th percentile, in whatever order they come")
    func percentile() {
        #expect(quantile(0.5, of: [5, 1, 4, 2, 3]) == 3)
        #expect(quantile(0.99, of: (1...200).reversed()) == 199)
        #expect(quantile(0.99, of: [7]) == 7)
        #expect(quantile(1, of: [1, 2]) == 2)
        #expect(quantile(0.5, of: []) == 0)
    }
}
