import EventStore
import FIMLCore
import Testing

@testable import RedisStore

@Suite("Tasks over Redis: each done by one host, also when hosts die, the result to the node that asked")
struct RedisTasksTests {
    let server: RedisServer
    let tasks: RedisTasks

    init() throws {
        server = try RedisServer()
        tasks = RedisTasks(server.client())
    }

    private func submit(_ id: String, within milliseconds: Int = 600_000) throws {
        try tasks.submit(
            type: "risk", id: id, payload: Array("do \(id)".utf8), node: "gw-1",
            withinMilliseconds: milliseconds)
    }

    private func take(_ consumer: String, limit: Int = 10) throws -> [RedisTasks.Task] {
        try tasks.take(type: "risk", consumer: consumer, limit: limit, waitMilliseconds: 0)
    }

    private func results(after position: StreamPosition = .zero) throws -> [RedisTasks.Result] {
        try tasks.results(node: "gw-1", after: position, waitMilliseconds: 0)
    }

    @Test("A task goes to one taker, its result to the node that asked, and nothing of it stays")
    func done() throws {
        try submit("t1")
        try submit("t2")
        let (first, second) = (try take("a", limit: 1), try take("b"))
        #expect(first.map(\.id) == ["t1"] && second.map(\.id) == ["t2"])
        #expect(first[0].payload == Array("do t1".utf8) && first[0].node == "gw-1")
        #expect(try take("a").isEmpty)
        #expect(try tasks.finish(first[0], payload: [1]))
        #expect(try tasks.finish(second[0], payload: [2], isFailure: true))
        let found = try results()
        #expect(found.map(\.id) == ["t1", "t2"] && found.map(\.payload) == [[1], [2]])
        #expect(found.map(\.isFailure) == [false, true])
        #expect(try results(after: found[1].position).isEmpty)
        #expect(try results().map(\.id) == ["t2"], "what was read is forgotten")
        #expect(try server.run("XLEN", "fiml:tasks:risk").number == 0)
        #expect(try server.run("PTTL", "fiml:results:gw-1").number ?? 0 > 0)
    }

    @Test("What was submitted before any host came is there for the first; a taker can wait for more")
    func waiting() async throws {
        #expect(try tasks.claim(type: "risk", consumer: "a", idleMilliseconds: 0).isEmpty)
        #expect(try tasks.keep([], type: "risk", consumer: "a").isEmpty)
        try submit("t1")
        #expect(try take("a").map(\.id) == ["t1"])
        let tasks = tasks
        let taker = Task.detached {
            try tasks.take(type: "risk", consumer: "b", waitMilliseconds: 120_000)
        }
        try submit("t2")
        #expect(try await taker.value.map(\.id) == ["t2"])
    }

    @Test("What a silent host left is claimed; the first result counts")
    func claimed() throws {
        try submit("t1")
        let first = try take("a")
        #expect(try tasks.claim(type: "risk", consumer: "b", idleMilliseconds: 600_000).isEmpty)
        let second = try tasks.claim(type: "risk", consumer: "b", idleMilliseconds: 0)
        #expect(second == first)
        #expect(try tasks.keep(first, type: "risk", consumer: "a").isEmpty)
        #expect(try tasks.keep(second, type: "risk", consumer: "b") == second)
        #expect(try tasks.finish(second[0], payload: [2]))
        #expect(try !tasks.finish(first[0], payload: [1]))
        #expect(try results().map(\.payload) == [[2]])
    }

    @Test("A task that kills its hosts is given up, and the node that asked is told")
    func givenUp() throws {
        try submit("t1")
        _ = try take("a")
        for consumer in ["b", "c"] {
            #expect(
                try tasks.claim(type: "risk", consumer: consumer, idleMilliseconds: 0).map(\.id) == ["t1"])
        }
        #expect(try tasks.claim(type: "risk", consumer: "d", idleMilliseconds: 0).isEmpty)
        let result = try results()
        #expect(result.map(\.id) == ["t1"] && result[0].isFailure)
        #expect(String(decoding: result[0].payload, as: UTF8.self).contains("given up: 3 worker hosts"))
        #expect(try server.run("XLEN", "fiml:tasks:risk").number == 0)
    }

    @Test("A task whose time is over is dropped, and so is what is no task")
    func over() throws {
        try server.run("XADD", "fiml:tasks:risk", "*", "x", "y")
        var taken = 0
        let isDropped = try eventually {
            try submit("t1", within: 1)
            let tasks = try take("a")
            taken += tasks.count
            return tasks.isEmpty
        }
        #expect(isDropped)
        #expect(try server.run("XLEN", "fiml:tasks:risk").number == Int64(taken))
        #expect(try results().isEmpty)
    }

    @Test("More tasks than may wait are refused in one line")
    func bounded() throws {
        for index in 0..<RedisTasks.taskLimit { try submit("t\(index)") }
        #expect(failure { try submit("more") }?.description.contains("start more hosts") == true)
        let task = try take("a", limit: 1)[0]
        #expect(failure { try submit("more") } != nil, "one that is being done counts")
        try tasks.finish(task, payload: [])
        try submit("more")
    }
}
