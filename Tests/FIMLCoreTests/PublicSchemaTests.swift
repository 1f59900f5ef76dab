import PublicSchema
import Testing

@testable import FIMLCore

@Suite("The public schema says what the code does")
struct PublicSchemaTests {
    private let files: [String: [UInt8]]

    init() throws {
        files = try PublicSchema.load()
    }

    private func schema(_ path: String) throws -> JSONValue {
        try JSONValue.parse(try #require(files[path], "no file \(path)"))
    }

    private func examples(_ path: String) throws -> [JSONValue] {
        try #require(try schema(path)["examples"]?.elements)
    }

    @Test("The copy beside the executable is the folder of the repository, JSON files only")
    func bundle() throws {
        let repository = try PublicSchema.load(
            from: #filePath.components(before: "/Tests/") + "/public-schema")
        #expect(files == repository)
        #expect(files.keys.contains("openapi.json") && files.keys.contains("asyncapi.json"))
        #expect(throws: (any Error).self) { try PublicSchema.load(from: "/nowhere") }
    }

    @Test("Its lists of names are those of the code")
    func names() throws {
        let definitions = try #require(try schema("schemas/common.schema.json")["$defs"])
        let expected: [(String, [String])] = [
            ("severity", Severity.allCases.map(\.rawValue)),
            ("watchdog", WatchdogName.allCases.map(\.rawValue)),
            ("event_type", EventType.allCases.map(\.rawValue)),
            ("asset_type", AssetType.allCases.map(\.rawValue)),
            ("market", Market.allCases.map(\.rawValue)),
            ("event_status", EventStatus.allCases.map(\.rawValue)),
            ("error_code", ErrorCode.allCases.map(\.rawValue)),
            ("worker_type", WorkerType.allCases.map(\.rawValue)),
        ]
        for (name, cases) in expected {
            #expect(definitions[name]?["enum"] == .array(cases.map(JSONValue.string)), "\(name)")
        }
        #expect(
            definitions["evidence"]?["properties"]?["operator"]?["enum"]
                == .array(Evidence.operators.map(JSONValue.string)))
        let filter = try #require(try schema("schemas/filter.schema.json")["properties"]?.members)
        #expect(Set(filter.keys) == Set(EventFilter.names))
    }

    @Test(
        "Its examples of what clients send are taken",
        arguments: [
            "subscribe", "update_subscription", "unsubscribe", "list_subscriptions", "ping", "analyze",
            "health", "session", "ack", "end_session",
        ])
    func clientExamples(name: String) throws {
        // The one type that goes both ways has a summary where it is an answer.
        for example in try examples("schemas/messages/\(name).schema.json") where example["summary"] == nil {
            _ = try ClientMessage.parse(example.json)
        }
    }

    @Test("Its examples of requests for analyses are taken")
    func analysisRequests() throws {
        for example in try examples("schemas/bodies/analysis_request.schema.json") {
            _ = try AnalysisRequest.parse(example)
        }
        for example in try examples("schemas/bodies/analysis_batch_request.schema.json") {
            _ = try AnalysisBatchRequest.parse(example)
        }
        let scopes = HealthScope.allCases.map { JSONValue.string($0.rawValue) }
        let health = try schema("schemas/messages/health.schema.json")["anyOf"]?.elements
        for side in try #require(health) {
            #expect(side["properties"]?["scope"]?["enum"] == .array(scopes))
        }
    }

    @Test("Its examples of filters and events are taken, and events are written as its examples are")
    func filtersAndEvents() throws {
        for example in try examples("schemas/filter.schema.json") {
            _ = try EventFilter.parse(example)
        }
        for path in ["schemas/event.schema.json", "schemas/event_input.schema.json"] {
            for example in try examples(path) {
                let event = try WatchdogEvent.parse(
                    example, receivedAt: Timestamp(milliseconds: 1_795_497_841_123), newEventID: { "evt_new" }
                )
                if path == "schemas/event.schema.json" {
                    #expect(try JSONValue.parse(event.json) == example)
                }
            }
        }
    }
}

extension String {
    fileprivate func components(before part: String) -> String {
        firstRange(of: part).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
