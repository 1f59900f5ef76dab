import EventStore
import Glibc
import LinuxSystem
import Locking
import Testing

@testable import PostgresStore

@Suite("Trouble with PostgreSQL is told in one line: where, what, and what to do")
struct PostgresTroubleTests {
    private let server: PostgresServer

    init() throws {
        server = try PostgresServer.shared.get()
    }

    private func sentence(
        _ address: PostgresAddress, sourceLocation: SourceLocation = #_sourceLocation,
        _ call: (PostgresKeyedStore) throws -> Void
    ) throws -> String {
        let store = PostgresKeyedStore(address, poolSize: 1, waiting: .seconds(120))
        let error = #expect(throws: StoreError.self, sourceLocation: sourceLocation) { try call(store) }
        guard case .unavailable(let sentence) = error else { throw Failure("\(String(describing: error))") }
        #expect(!sentence.contains("\n") && !sentence.contains("secret"), sourceLocation: sourceLocation)
        let place = "PostgreSQL at \(address) "
        #expect(sentence.hasPrefix(place), sourceLocation: sourceLocation)
        return String(sentence.dropFirst(place.count))
    }

    @Test("Whoever cannot get in learns why")
    func connecting() throws {
        let right = try server.database()
        var address = right
        address.password = "wrong secret"
        #expect(
            try sentence(address) { try $0.open() }
                == "cannot be used: password authentication failed for user \"fiml\"; "
                + "check POSTGRES_USER and POSTGRES_PASSWORD")
        address.password = nil
        #expect(try sentence(address) { try $0.open() }.contains("no password supplied; check POSTGRES_USER"))
        address = right
        address.user = "nobody"
        #expect(
            try sentence(address) { try $0.open() }.hasSuffix("check POSTGRES_USER and POSTGRES_PASSWORD"))
        address = right
        address.database = "no such"
        #expect(
            try sentence(address) { try $0.open() }
                == "cannot be used: database \"no such\" does not exist; "
                + "create the database, or check POSTGRES_DB")
        address = right
        address.port = try PostgresServer.freePort()
        #expect(
            try sentence(address) { _ = try $0.get("task:a", now: 0) }
                == "cannot be used: Connection refused; start it, or check POSTGRES_HOST and POSTGRES_PORT")
        address = right
        address.host = "nothing.invalid"
        #expect(try sentence(address) { try $0.open() }.hasSuffix("; check POSTGRES_HOST"))
    }

    @Test("A name of a database is a name, not more parameters")
    func databaseName() throws {
        var address = try server.database()
        address.database = "host=192.0.2.1 dbname=x"
        #expect(
            try sentence(address) { try $0.open() }.contains("\"host=192.0.2.1 dbname=x\" does not exist"))
    }

    @Test("A server that takes connections and says nothing holds nobody up for long")
    func silentListener() throws {
        let listener = try ListeningSocket(host: "127.0.0.1", port: 0)
        var address = try server.database()
        address.port = listener.port
        address.connectTimeout = .seconds(2)
        #expect(
            try sentence(address) { try $0.open() }
                == "cannot be used: timeout expired; "
                + "check POSTGRES_HOST and POSTGRES_PORT, and the network between")
    }

    @Test("A server with too few connections, one that is a standby, one whose disk is full: each is named")
    func refusals() throws {
        let address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 1)
        try store.open()
        store.close()
        try server.admin("ALTER DATABASE \(address.database) SET default_transaction_read_only = on")
        #expect(
            try sentence(address) { try $0.remove("a") }
                == "fails: cannot execute DELETE in a read-only transaction (SQLSTATE 25006); "
                + "POSTGRES_HOST must name a server that can be written to, no standby")
        try server.admin("ALTER DATABASE \(address.database) RESET default_transaction_read_only")
        try makePutsFail(address, "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'")
        #expect(
            try sentence(address) { try $0.put([KeptEntry(key: "a", value: [], expiresAt: 1)]) }
                == "fails: could not extend file (SQLSTATE 53100); free space on its disk")
        try makePutsFail(address, "RAISE EXCEPTION 'a\u{1B}[31m\nb' USING ERRCODE = 'P0001'")
        #expect(
            try sentence(address) { try $0.put([KeptEntry(key: "a", value: [], expiresAt: 1)]) }
                == "fails: a[31m (SQLSTATE P0001); see its log")
        try server.admin("ALTER DATABASE \(address.database) CONNECTION LIMIT 0")
        #expect(
            try sentence(address) { _ = try $0.ping() }
                == "cannot be used: too many connections for database \"\(address.database)\"; "
                + "raise its max_connections, or lower POSTGRES_POOL_SIZE")
    }

    @Test("A page that cannot be read makes the store unusable, which trying again does not help")
    func damage() throws {
        let address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 1)
        try store.open()
        try makePutsFail(address, "RAISE EXCEPTION 'invalid page' USING ERRCODE = 'data_corrupted'")
        let error = #expect(throws: StoreError.self) {
            try store.put([KeptEntry(key: "a", value: [], expiresAt: 1)])
        }
        #expect(
            error
                == .unusable(
                    "PostgreSQL at \(address) fails: invalid page (SQLSTATE XX001); "
                        + "restore its database from a copy"))
    }

    @Test("A statement that takes too long is given up by the server, and the connection goes on")
    func slowStatement() throws {
        var address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 1)
        try store.open()
        try makePutsFail(address, "PERFORM pg_sleep(600)")
        address.answerTimeout = .seconds(3)
        let text = try sentence(address) { store in
            defer { #expect(throws: Never.self) { try store.ping() } }
            try store.put([KeptEntry(key: "a", value: [], expiresAt: 1)])
        }
        #expect(
            text == "fails: canceling statement due to statement timeout (SQLSTATE 57014); "
                + "it is overloaded, or something holds a lock")
    }

    @Test("A server that hangs is given up by us, and the next call makes a connection of its own")
    func hangingServer() throws {
        var address = try server.database()
        address.answerTimeout = .seconds(4)
        let text = try sentence(address) { store in
            _ = try store.ping()
            let process = try #require(server.clients(of: address).first)
            #expect(Glibc.kill(process, SIGSTOP) == 0)
            defer {
                #expect(throws: Never.self) {
                    try eventually("a new one answers") { (try? store.ping()) != nil }
                }
                Glibc.kill(process, SIGCONT)
            }
            // More than sockets hold.
            let value = [UInt8](repeating: 1, count: 32 << 20)
            try store.put([KeptEntry(key: "a", value: value, expiresAt: 1)])
        }
        #expect(text == "gives no answer within 6 s; see whether it or its host hangs")
    }

    /// Every put runs a statement of PL/pgSQL first.
    private func makePutsFail(_ address: PostgresAddress, _ statement: String) throws {
        try server.admin(
            """
            CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN \(statement); RETURN NEW; END $$
            """, in: address.database)
        try server.admin(
            "CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON fiml_kept FOR EACH ROW EXECUTE FUNCTION fail()",
            in: address.database)
    }
}
