import EventStore
import LinuxSystem
import Locking
import Testing

@testable import PostgresStore

@Suite("Connections to PostgreSQL are few, shared, and replaced when they break")
struct PostgresPoolTests {
    private let server: PostgresServer
    private let address: PostgresAddress

    init() throws {
        server = try PostgresServer.shared.get()
        address = try server.database()
    }

    @Test("More callers than connections: all are served, by no more connections than allowed")
    func bound() throws {
        let store = PostgresKeyedStore(address, poolSize: 3, waiting: .seconds(120))
        try store.open()
        let (wrong, most) = (Locked<[String]>([]), Locked(0))
        let (server, address) = (server, address)
        try onThreads(12) { thread in
            for round in 0..<40 {
                let entry = KeptEntry(key: "task:\(thread)", value: [UInt8(round)], expiresAt: 1)
                let found = Result {
                    try store.put([entry, KeptEntry(key: "task:all", value: [], expiresAt: 1)])
                    if round % 10 == thread % 10 {
                        let count = try server.clients(of: address).count
                        most.withLock { $0 = max($0, count) }
                    }
                    return try store.get(entry.key, now: 0)
                }
                if (try? found.get()) != entry { wrong.withLock { $0.append("\(thread): \(found)") } }
            }
        }
        #expect(wrong.withLock { $0 } == [])
        #expect((2...3).contains(most.withLock { $0 }))
    }

    @Test("A connection is made when it is needed, not before, and stays")
    func lazy() throws {
        let store = PostgresKeyedStore(address, poolSize: 5)
        #expect(try server.clients(of: address).isEmpty)
        try store.open()
        for _ in 0..<10 { _ = try store.ping() }
        #expect(try server.clients(of: address).count == 1)
    }

    @Test("Who finds all connections in use waits no longer than said")
    func waiting() throws {
        let store = PostgresKeyedStore(address, poolSize: 1, waiting: .milliseconds(50))
        try store.open()
        let blocker = try PostgresConnection(address)
        _ = try blocker.run("BEGIN")
        _ = try blocker.run("LOCK TABLE fiml_kept")
        let put = Locked<Result<Void, any Error>?>(nil)
        try Thread(name: "blocked put") {
            let result = Result { try store.put([KeptEntry(key: "a", value: [], expiresAt: 1)]) }
            put.withLock { $0 = result }
        }.detach()
        try eventually("the put waits for the lock") {
            try server.clients(of: address, "wait_event_type = 'Lock'").count == 1
        }
        let began = monotonicMilliseconds()
        let error = #expect(throws: StoreError.self) { try store.ping() }
        #expect((50..<120_000).contains(monotonicMilliseconds() - began))
        #expect(
            error
                == .unavailable(
                    "PostgreSQL at \(address): all 1 connections are in use; "
                        + "it is slow, or POSTGRES_POOL_SIZE too small"))
        _ = try blocker.run("ROLLBACK")
        try eventually("the put is through") { put.withLock { $0 != nil } }
        #expect(try store.count(prefix: "a") == 1)
    }

    @Test("Connections that an operator ends are replaced, and nobody sees it")
    func terminated() throws {
        let store = PostgresKeyedStore(address, poolSize: 4)
        try store.open()
        for round in 0..<5 {
            for process in try server.clients(of: address) {
                try server.admin("SELECT pg_terminate_backend(\(process))")
            }
            try eventually("they are gone") { try server.clients(of: address).isEmpty }
            try store.put([KeptEntry(key: "task:\(round)", value: [], expiresAt: 1)])
        }
        #expect(try store.count(prefix: "task:") == 5)
    }
}
