import EventStore
import FIMLCore
import Foundation
import Testing

@testable import RedisStore

@Suite("An append whose answer was lost is not done twice when it is tried again")
struct RedisAppendRetryTests {
    let server: RedisServer
    /// For a server that answers, however slowly; for one that was stopped.
    let observer: RedisEventStore
    let start: StreamPosition

    init() throws {
        server = try RedisServer()
        observer = RedisEventStore(server.client())
        start = try observer.open(now: 0).last
    }

    /// A store that is tired of waiting, and has connected.
    private func impatientStore() throws -> RedisEventStore {
        let store = RedisEventStore(server.client(timeoutSeconds: 1))
        let isOpen = try eventually { failure { try store.open(now: 0) } == nil }
        #expect(isOpen)
        let hasAppended = try eventually {
            failure { try store.append([Submission(events: [])], now: 0) } == nil
        }
        #expect(hasAppended)
        return store
    }

    private func stored() throws -> [String] {
        try ids(observer.read(after: start, limit: 100).events)
    }

    @Test("Done before the server was asked again: the positions are those of the first time")
    func done() throws {
        let store = try impatientStore()
        server.signal(SIGSTOP)
        let error = failure { try store.append(event("a"), event("b")) }
        #expect(error?.description.contains("timed out after 1000 ms") == true)
        server.signal(SIGCONT)
        let wasDone = try eventually { try stored() == ["a", "b"] }
        #expect(wasDone)
        var answers: [Appended] = []
        let submissions = [event("b"), event("c"), event("a")].map { Submission(events: [$0]) }
        let wasAnswered = try eventually {
            failure { answers = try store.append(submissions, now: 0) } == nil
        }
        #expect(wasAnswered)
        #expect(try stored() == ["a", "b", "c"])
        let positions = try observer.read(after: start, limit: 100).events.map(\.position)
        #expect(answers == [positions[1], positions[2], positions[0]].map { .stored([$0]) })
    }

    @Test("Asked again at once, in whichever order the server takes the two: stored once", arguments: 0..<5)
    func raced(round: Int) throws {
        let store = try impatientStore()
        server.signal(SIGSTOP)
        #expect(failure { try store.append(event("a\(round)")) } != nil)
        server.signal(SIGCONT)
        let wasAnswered = try eventually { failure { try store.append(event("a\(round)")) } == nil }
        #expect(wasAnswered)
        #expect(try stored() == ["a\(round)"])
    }

    @Test("One that reaches the server after it was overtaken, or twice, is not done")
    func overtaken() throws {
        let client = server.client()
        func append(_ number: Int) throws -> String? {
            var arguments = observer.known()
            let fields = ["flash_crash", "low", "firing", "price_anomaly", "", "0123456789abcdef", "{}"]
            for word in ["\(number)", "100", "1", "", "0", "1"] + fields + ["0"] { arguments.append(word) }
            return try client.run(
                StreamScripts.append, keys: StreamKeys.all + ["watchdog:append:x"], arguments
            ).text
        }
        func overtake(_ number: Int, by later: Int) throws -> String? {
            var arguments = RedisCommand.Arguments()
            arguments.append(number)
            arguments.append(later)
            return try client.run(StreamScripts.overtake, keys: ["watchdog:append:x"], arguments).text
        }
        let position = try append(1)
        #expect(try append(1) == "?")
        #expect(try overtake(1, by: 2) == position && position != nil)
        #expect(try overtake(3, by: 4) == nil)
        #expect(try append(3) == "?")
        #expect(try server.run("XLEN", "watchdog:events").number == 1)
    }

    @Test("Never done, since the server was killed with it: stored by the second try")
    func neverDone() throws {
        let store = try impatientStore()
        server.signal(SIGSTOP)
        #expect(failure { try store.append(event("a")) } != nil)
        server.kill()
        try server.restart()
        let wasAnswered = try eventually { failure { try store.append(event("a")) } == nil }
        #expect(wasAnswered)
        #expect(try stored() == ["a"])
    }

    @Test("The same event from a publisher that was answered is another one")
    func answered() throws {
        let store = try impatientStore()
        let again = try eventually { failure { try store.append(event("a"), event("a")) } == nil }
        #expect(again)
        #expect(try stored() == ["a", "a"])
    }

    @Test("Followers learn within the time limit that a server has stopped, and go on when it does")
    func follow() throws {
        let store = try impatientStore()
        server.signal(SIGSTOP)
        let error = failure { try store.follow(after: start, limit: 9, milliseconds: 120_000) }
        #expect(error?.description.contains("timed out") == true)
        server.signal(SIGCONT)
        try observer.append(event("a"))
        var found: [String] = []
        let goesOn = try eventually {
            failure { found = try ids(store.follow(after: start, limit: 9, milliseconds: 0).events) } == nil
        }
        #expect(goesOn && found == ["a"])
    }
}
