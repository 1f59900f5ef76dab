import EventStore
import FIMLCore
import Foundation
import LinuxSystem
import Testing

@testable import RedisStore

@Suite("What is wrong with a Redis server is one line: which, why, and what to do")
struct RedisConnectionTests {
    private func expect(_ error: StoreError?, _ server: RedisServer, _ parts: String...) {
        let text = error?.description ?? "no error"
        #expect(text.hasPrefix("Redis at 127.0.0.1:\(server.port)"))
        #expect(!text.contains { $0.isNewline } && text.count < 400)
        for part in parts { #expect(text.contains(part), "\(text)") }
    }

    private func isUnavailable(_ error: StoreError?) -> Bool {
        if case .unavailable = error { true } else { false }
    }

    @Test("It says its version")
    func version() throws {
        let server = try RedisServer()
        #expect(try server.client().ping().wholeMatch(of: /redis \d+\.\d+\.\d+/) != nil)
    }

    @Test("Nobody listens")
    func refused() throws {
        let server = try RedisServer()
        server.kill()
        let error = failure { try server.client().ping() }
        expect(error, server, "Connection refused", "REDIS_HOST")
        #expect(isUnavailable(error))
    }

    @Test("A password that is missing, wrong, or not asked for")
    func password() throws {
        let server = try RedisServer(["--requirepass", "correct horse"])
        #expect(try RedisClient(server.address(password: "correct horse")).ping().hasPrefix("redis"))
        expect(failure { try RedisClient(server.address()).ping() }, server, "NOAUTH", "set REDIS_PASSWORD")
        let wrong = failure { try RedisClient(server.address(password: "secret")).ping() }
        expect(wrong, server, "WRONGPASS", "correct REDIS_PASSWORD")
        #expect(wrong?.description.contains("secret") == false)
        let open = try RedisServer()
        expect(
            failure { try RedisClient(open.address(password: "x")).ping() }, open, "correct REDIS_PASSWORD")
    }

    @Test("Databases are apart, and one that is not there is said")
    func database() throws {
        let server = try RedisServer()
        _ = try RedisClient(server.address(database: 3)).ask(RedisCommand("SET", "a", "1"))
        #expect(try server.run("GET", "a") == .null)
        #expect(try RedisClient(server.address(database: 3)).ask(RedisCommand("GET", "a")).text == "1")
        expect(failure { try RedisClient(server.address(database: 99)).ping() }, server, "correct REDIS_DB")
    }

    @Test("It is stopped, with an idle connection and without")
    func stopped() throws {
        let server = try RedisServer()
        let client = server.client(timeoutSeconds: 0.3)
        let answers = try eventually { failure { try client.ping() } == nil }
        #expect(answers)
        server.signal(SIGSTOP)
        expect(failure { try client.ping() }, server, "timed out after 300 ms")
        expect(failure { try client.ping() }, server, "timed out after 300 ms")
        server.signal(SIGCONT)
        let answersAgain = try eventually { failure { try client.ping() } == nil }
        #expect(answersAgain)
    }

    @Test("A restart is not noticed by the next call")
    func restarted() throws {
        let server = try RedisServer()
        let client = server.client()
        _ = try client.ping()
        server.kill()
        try server.restart()
        #expect(failure { try client.ping() } == nil)
    }

    @Test("Its memory is full: nothing of an append is stored, reading, following and trimming go on")
    func full() throws {
        let server = try RedisServer()
        let store = RedisEventStore(server.client())
        let start = try store.open(now: 0).last
        try store.append(event("a"), event("b"))
        try server.run("CONFIG", "SET", "maxmemory", "1")
        let error = failure { try store.append(event("c"), event("d")) }
        expect(error, server, "OOM", "maxmemory")
        #expect(isUnavailable(error))
        #expect(try ids(store.read(after: start, limit: 9).events) == ["a", "b"])
        #expect(try ids(store.follow(after: start, limit: 9, milliseconds: 0).events) == ["a", "b"])
        #expect(try store.trim(toNewest: 1, storedSince: nil).count == 1)
        try server.run("CONFIG", "SET", "maxmemory", "0")
        try store.append(event("e"))
        #expect(try ids(store.read(after: start, limit: 9).events) == ["b", "e"])
    }

    @Test("It is a replica")
    func replica() throws {
        let primary = try RedisServer()
        let server = try RedisServer(["--replicaof", "127.0.0.1 \(primary.port)"])
        var error: StoreError?
        let isRefused = try eventually {
            error = failure { try RedisEventStore(server.client()).open(now: 0) }
            return error?.description.contains("LOADING") == false
                && error?.description.contains("MASTERDOWN") == false
        }
        #expect(isRefused)
        expect(error, server, "READONLY", "primary")
        #expect(isUnavailable(error))
    }

    @Test(
        "One of the keys holds a value of another kind",
        arguments: [
            "watchdog:events", "watchdog:meta", "watchdog:firing", "watchdog:states", "watchdog:resolved",
        ])
    func otherKind(key: String) throws {
        let server = try RedisServer()
        let store = RedisEventStore(server.client())
        let start = try store.open(now: 0).last
        try server.run("SET", key, "somebody's")
        let error = failure { try store.append(event("a")) }
        expect(error, server, "WRONGTYPE", "rename that key")
        #expect(!isUnavailable(error))
        if key != "watchdog:resolved" {
            #expect(!isUnavailable(failure { try RedisEventStore(server.client()).open(now: 0) }))
        }
        #expect(try server.run("GET", key).text == "somebody's")
        if key == "watchdog:firing" || key == "watchdog:states" {
            #expect(try store.read(after: start, limit: 9).events.isEmpty, "nothing of it was stored")
        }
    }

    @Test("What answers is no Redis server")
    func otherServer() throws {
        let listening = try ListeningSocket(host: "127.0.0.1", port: 0)
        let address = RedisAddress(host: "127.0.0.1", port: listening.port, timeoutSeconds: 0.3)
        #expect(failure { try RedisClient(address).ping() }?.description.contains("timed out") == true)
    }
}
