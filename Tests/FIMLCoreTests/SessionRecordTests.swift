import FIMLCore
import GatewayTesting
import Testing

@Suite("What is kept of a session comes back as it was, and hostile JSON does not come in")
struct SessionRecordTests {
    private static func position(_ milliseconds: UInt64) -> StreamPosition {
        StreamPosition(milliseconds: milliseconds, sequence: 0)
    }

    private static func subscription(_ id: String, _ filter: JSONValue = [:], at milliseconds: UInt64 = 5)
        throws -> SessionRecord.Subscription
    {
        .init(
            subscriptionID: id, filter: try EventFilter.parse(filter), position: position(milliseconds))
    }

    private static func record(_ subscriptions: [SessionRecord.Subscription]) -> SessionRecord {
        var record = SessionRecord(generation: 3, ttlSeconds: 3600, usedAt: 1_795_497_841_123)
        let taken = subscriptions.map { record.put($0) }
        #expect(!taken.contains(false))
        return record
    }

    private static let json =
        #"{"version":1,"generation":3,"ttl_seconds":3600,"used_at":"2026-11-24T05:24:01.123Z","#
        + #""subscriptions":[{"subscription_id":"a","filter":{"min_severity":"high"},"position":"5-0"},"#
        + #"{"subscription_id":"b\"é","filter":{},"position":"7-0"}]}"#

    @Test("It is written and read")
    func roundTrip() throws {
        let record = Self.record([
            try Self.subscription("a", ["min_severity": "high"]), try Self.subscription("b\"é", at: 7),
        ])
        #expect(text(record.json) == Self.json)
        let read = try SessionRecord.read(Array(Self.json.utf8))
        #expect(read.record == record && read.dropped.isEmpty)
        #expect(record.expiresAt == 1_795_501_441_123)
        #expect(record.position == Self.position(5))
        #expect(Self.record([]).position == nil)
    }

    @Test("A position only grows, and only where the client confirms it")
    func confirming() throws {
        var record = Self.record([try Self.subscription("a"), try Self.subscription("b", at: 9)])
        let moved = record.confirm("a", Self.position(6))
        #expect(moved)
        for (id, milliseconds) in [("a", 6), ("a", 1), ("b", 8), ("c", 20)] as [(String, UInt64)] {
            let moved = record.confirm(id, Self.position(milliseconds))
            #expect(!moved, "\(id) \(milliseconds)")
        }
        #expect(record["a"]?.position == Self.position(6) && record["b"]?.position == Self.position(9))
    }

    @Test("Subscriptions are added, changed in their place, and removed")
    func changing() throws {
        var record = Self.record([try Self.subscription("a"), try Self.subscription("b")])
        let low = try EventFilter.parse(["min_severity": "low"])
        let updates = [record.update("a", low), record.update("c", low)]
        #expect(updates == [true, false])
        #expect(record["a"] == .init(subscriptionID: "a", filter: low, position: Self.position(5)))
        let isPut = record.put(try Self.subscription("a", at: 8))
        #expect(isPut)
        #expect(record.subscriptions.map(\.subscriptionID) == ["a", "b"])
        record.remove("a")
        record.remove("c")
        #expect(record.subscriptions.map(\.subscriptionID) == ["b"])
    }

    @Test("It has room for 64 subscriptions, and never writes more than it reads")
    func bounds() throws {
        var record = Self.record(try (0..<64).map { try Self.subscription("s\($0)") })
        let more = [
            record.put(try Self.subscription("one more")), record.put(try Self.subscription("s0", at: .max)),
        ]
        #expect(more == [false, true])
        #expect(try SessionRecord.read(record.json).record == record)

        let long = JSONValue.object([
            "where": .object([
                "key": "data.x", "cmp": "in",
                "vals": .array((0..<40).map { .string("\($0)" + String(repeating: "\u{1}", count: 250)) }),
            ])
        ])
        record = Self.record([])
        let filter = try EventFilter.parse(long)
        var count = 0
        while record.put(
            .init(
                subscriptionID: "\u{1F512}\(count)", filter: count == 0 ? filter : .everything,
                position: .init(milliseconds: .max, sequence: .max)))
        {
            count += 1
            #expect(record.json.count <= record.size && record.size <= SessionRecord.Limits.bytes)
        }
        #expect(count > 0)
    }

    @Test("A subscription whose filter is not understood is left out and named")
    func dropping() throws {
        let changed = Self.json.replacingFirst("min_severity", by: "max_severity")
        let (record, dropped) = try SessionRecord.read(Array(changed.utf8))
        #expect(record.subscriptions.map(\.subscriptionID) == ["b\"é"])
        #expect(dropped.map(\.subscriptionID) == ["a"])
        #expect(dropped.first?.message.hasPrefix("unknown member 'max_severity' at filter") == true)
    }

    @Test(
        "What was never written is refused as a whole",
        arguments: [
            ("", "", "{"), ("{", "{", "[1,"), ("3,\"ttl", "3", "0"), ("\"generation\":3", "3", "-1"),
            ("generation\":3", "3", "9223372036854775807"), ("ttl_seconds\":3600", "3600", "0"),
            ("ttl_seconds\":3600", "3600", "99999999999"), ("ttl_seconds\":3600", "3600", "\"1\""),
            ("2026", "2026", "yesterday"), ("\"5-0\"", "5-0", "05-0"), ("\"5-0\"", "\"5-0\"", "5"),
            ("\"a\"", "a", "b\\\"é"), ("\"a\"", "a", ""), ("\"a\"", "a", "\\u0000"),
            ("subscriptions\":[", "subscriptions", "subscription"), ("[{", "[{", "[5,{"),
            ("version\":1", "1", "null"),
        ])
    func hostile(near: String, part: String, replacement: String) {
        let changed =
            near.isEmpty
            ? replacement : Self.json.replacingFirst(near, by: near.replacingFirst(part, by: replacement))
        #expect(changed != Self.json)
        let error = #expect(throws: SessionRecord.ReadingError.self) {
            try SessionRecord.read(Array(changed.utf8))
        }
        if case .otherVersion = error { Issue.record("taken for another version: \(changed)") }
    }

    @Test("One of another version is told apart, and one that is too long is not parsed")
    func versions() throws {
        let newer = Self.json.replacingFirst("\"version\":1", by: "\"version\":2,\"more\":{}")
        #expect(throws: SessionRecord.ReadingError.otherVersion(2)) {
            try SessionRecord.read(Array(newer.utf8))
        }
        #expect(throws: SessionRecord.ReadingError.invalid("a session must not be longer than 65536 bytes")) {
            try SessionRecord.read(Array(Self.json.utf8) + [UInt8](repeating: 32, count: 65_536))
        }
        let many = (0..<65).map { #"{"subscription_id":"\#($0)","filter":{},"position":"1-0"}"# }
        let head = Self.json.components(before: #"{"subscription_id""#)
        #expect(throws: SessionRecord.ReadingError.invalid("subscriptions must be a list of at most 64")) {
            try SessionRecord.read(Array("\(head)\(many.joined(separator: ","))]}".utf8))
        }
    }

    @Test("Cut or altered anywhere, it is read or refused")
    func altered() throws {
        let bytes = Array(Self.json.utf8)
        for length in bytes.indices {
            #expect(throws: SessionRecord.ReadingError.self) {
                try SessionRecord.read(Array(bytes[..<length]))
            }
        }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            var changed = bytes
            changed[.random(in: bytes.indices, using: &generator)] = .random(
                in: .min ... .max, using: &generator)
            guard let (record, _) = try? SessionRecord.read(changed) else { continue }
            #expect(try SessionRecord.read(record.json).record == record)
        }
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, by other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }

    fileprivate func components(before part: String) -> String {
        firstRange(of: part).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
