import EventStore
import Locking
import Testing

@testable import PostgresStore

@Suite("The tables make themselves, and what a newer version has made is left alone")
struct PostgresSchemaTests {
    private let server: PostgresServer

    init() throws {
        server = try PostgresServer.shared.get()
    }

    @Test(
        "Many gateways may begin on an empty database at once, and one that begins again finds what is there")
    func together() throws {
        let address = try server.database()
        let errors = Locked<[StoreError]>([])
        try onThreads(8) { number in
            do throws(StoreError) {
                let store = PostgresKeyedStore(address, poolSize: 1)
                try store.open()
                try store.put([KeptEntry(key: "task:\(number)", value: [], expiresAt: 1)])
            } catch {
                errors.withLock { $0.append(error) }
            }
        }
        #expect(errors.withLock { $0 } == [])
        let again = PostgresKeyedStore(address, poolSize: 1)
        try again.open()
        #expect(try again.count(prefix: "task:") == 8)
        #expect(try server.count("SELECT version FROM fiml_schema", in: address.database) == 1)
    }

    @Test("Tables of a newer version are refused in words that say what to do, and stay as they are")
    func newer() throws {
        let address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 1)
        try store.open()
        try server.admin("UPDATE fiml_schema SET version = 7", in: address.database)
        let error = #expect(throws: StoreError.self) { try store.open() }
        #expect(
            error
                == .unusable(
                    "PostgreSQL at \(address) holds tables of a newer version (schema 7, this one knows 1); "
                        + "start that version, or name another database with POSTGRES_DB"))
        #expect(try server.count("SELECT version FROM fiml_schema", in: address.database) == 7)
        try server.admin("UPDATE fiml_schema SET version = 1", in: address.database)
        try store.open()
    }

    @Test(
        "Tables that vanish are made again by the next call",
        arguments: ["fiml_kept, fiml_schema", "fiml_kept"])
    func vanished(tables: String) throws {
        let address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 1)
        try store.put([KeptEntry(key: "task:a", value: [1], expiresAt: 9)])
        try server.admin("DROP TABLE \(tables)", in: address.database)
        #expect(try store.get("task:a", now: 0) == nil)
        try store.put([KeptEntry(key: "task:a", value: [2], expiresAt: 9)])
        #expect(try store.get("task:a", now: 0)?.value == [2])
    }

    @Test("The right to create tables is needed where they are not there, and only there")
    func rights() throws {
        let address = try server.database(ownedBy: "postgres")
        try server.admin("REVOKE CREATE ON SCHEMA public FROM public", in: address.database)
        let store = PostgresKeyedStore(address, poolSize: 1)
        let error = #expect(throws: StoreError.self) { try store.open() }
        #expect(error.map { "\($0)".contains("permission denied for schema public") } == true)
        #expect(error.map { "\($0)".hasSuffix("or make it the database's owner") } == true)
        try server.admin("GRANT CREATE ON SCHEMA public TO fiml", in: address.database)
        try store.open()
        try server.admin("REVOKE CREATE ON SCHEMA public FROM fiml", in: address.database)
        try store.open()
        try store.put([KeptEntry(key: "task:a", value: [2], expiresAt: 9)])
    }
}
