import Foundation
import Glibc
import LinuxSystem
import Locking

@testable import PostgresStore

/// A PostgreSQL of the tests' own on a free port, in a temporary directory. It ends with this process,
/// however that ends.
final class PostgresServer: Sendable {
    /// The one that tests share which leave it as it is; each has a database of its own in it.
    static let shared = Result { try PostgresServer(offersTLS: true) }

    static let password = "a 'secret\\ of tests"

    let port: Int
    private let directory: String
    private let run = Locked<Run?>(nil)
    private let databases = Locked(0)

    /// What is running now.
    private final class Run: Sendable {
        let shell: ChildProcess
        /// The shell at its other end waits for a word from us, or for our end.
        let connection: FileDescriptor

        init(shell: consuming ChildProcess, connection: consuming FileDescriptor) {
            self.shell = shell
            self.connection = connection
        }
    }

    /// Installs and starts one.
    init(offersTLS: Bool = false) throws {
        port = try Self.freePort()
        var template = Array("/tmp/fiml-postgres-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        try Self.password.write(toFile: directory + "/password", atomically: true, encoding: .utf8)
        try shell(
            """
            chmod 755 . && mkdir data && chmod 600 password || exit 1
            [ $(id -u) != 0 ] || chown -R postgres . || exit 1
            $AS $BIN/initdb -D data -U postgres -A scram-sha-256 --pwfile=password --locale=C -E UTF8 \
                --no-sync >log 2>&1 || { cat log >&2; exit 1; }
            """)
        if offersTLS {
            try shell(
                """
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                    -subj /CN=localhost -keyout data/server.key -out data/server.crt 2>>log || exit 1
                chmod 600 data/server.key; [ $(id -u) != 0 ] || chown postgres data/server.*
                echo 'ssl = on' >>data/postgresql.conf
                """)
        }
        try start()
        try admin("CREATE ROLE fiml LOGIN PASSWORD '\(Self.password.replacing("'", with: "''"))'")
    }

    deinit {
        end("")
    }

    /// Starts it and waits until it lets somebody in.
    func start() throws {
        let pair = try SocketPair()
        let shell = try ChildProcess(
            executable: "/bin/sh", name: "sh",
            arguments: Self.arguments(
                """
                $AS $BIN/postgres -D data -p \(port) -c listen_addresses=127.0.0.1 \
                    -c unix_socket_directories= -c fsync=off -c full_page_writes=off -c max_connections=60 \
                    -c shared_buffers=16MB </dev/null >>log 2>&1 &
                server=$!
                read -r word
                kill -INT $server 2>>log
                wait $server
                [ -n "$word" ] || rm -rf "\(directory)"
                """, in: directory), environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
            connection: pair.second.raw)
        let started = Run(shell: shell, connection: pair.keepFirst())
        run.withLock { $0 = started }
        try eventually("the server is ready") { (try? admin("SELECT 1")) != nil }
    }

    /// Ends it as systemd does: connections are closed, everything is written.
    func stop() {
        end("keep\n")
    }

    /// Ends all of its processes at once, as a loss of power would.
    func kill() throws {
        let postmaster = try postmaster()
        let children = Self.children(of: postmaster)
        for process in [postmaster] + children { _ = Glibc.kill(process, SIGKILL) }
        try eventually("all processes of the server are gone") {
            ([postmaster] + children).allSatisfy(Self.isGone)
        }
        end("keep\n")
    }

    /// A database that nobody else uses; `role` owns it.
    func database(ownedBy role: String = "fiml") throws -> PostgresAddress {
        let number = databases.withLock { number in
            number += 1
            return number
        }
        try admin("CREATE DATABASE test_\(number) OWNER \(role)")
        return PostgresAddress(
            host: "127.0.0.1", port: port, database: "test_\(number)", user: "fiml", password: Self.password,
            connectTimeout: .seconds(120), answerTimeout: .seconds(120))
    }

    /// A statement of the superuser's.
    @discardableResult
    func admin(
        _ statement: String, in database: String = "postgres"
    ) throws(PostgresError) -> PostgresConnection.Rows {
        let address = PostgresAddress(
            host: "127.0.0.1", port: port, database: database, user: "postgres", password: Self.password,
            connectTimeout: .seconds(120), answerTimeout: .seconds(120))
        return try PostgresConnection(address).run(statement)
    }

    /// What a statement counts.
    func count(_ statement: String, in database: String = "postgres") throws -> Int {
        let rows = try admin(statement, in: database)
        return Int(PostgresValue.integer(rows.first?.first.flatMap { $0 }) ?? -1)
    }

    /// The processes that serve a database's clients; not those that tidy it up.
    func clients(of address: PostgresAddress, _ condition: String = "true") throws -> [pid_t] {
        let rows = try admin(
            """
            SELECT pid::bigint FROM pg_stat_activity
            WHERE datname = '\(address.database)' AND backend_type = 'client backend' AND \(condition)
            """)
        return rows.compactMap { PostgresValue.integer($0.first.flatMap { $0 }).map { pid_t($0) } }
    }

    private func end(_ word: String) {
        let running = run.withLock { run in
            let running = run
            run = nil
            return running
        }
        guard let running else { return }
        // It fails only where the shell has gone, which is what is wanted.
        _ = word.withCString { send(running.connection.raw, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        running.connection.shutdownWriting()
        _ = running.shell.waitForEnd()
    }

    private func postmaster() throws -> pid_t {
        let lines = try String(contentsOfFile: directory + "/data/postmaster.pid", encoding: .utf8)
        guard let id = lines.split(separator: "\n").first.flatMap({ pid_t($0) }) else {
            throw Failure("no pid")
        }
        return id
    }

    private static func children(of process: pid_t) -> [pid_t] {
        let path = "/proc/\(process)/task/\(process)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(whereSeparator: \.isWhitespace).compactMap { pid_t($0) }
    }

    /// Also where its parent has not taken note of it yet.
    private static func isGone(_ process: pid_t) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
            return true
        }
        return text.contains(") Z ")
    }

    private func shell(_ script: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = Self.arguments(script, in: directory)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure("no PostgreSQL can be made; are postgresql and openssl installed?")
        }
    }

    /// `$BIN` is where the programs of the newest installed version are, `$AS` what makes root, whom they
    /// refuse, somebody else.
    private static func arguments(_ script: String, in directory: String) -> [String] {
        let preface = """
            cd "\(directory)" || exit 1
            BIN=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
            AS=; [ $(id -u) != 0 ] || AS='setpriv --reuid=postgres --regid=postgres --clear-groups'
            export LC_ALL=C

            """
        return ["-c", preface + script]
    }

    /// Free a moment ago, that is.
    static func freePort() throws -> Int {
        try ListeningSocket(host: "127.0.0.1", port: 0).port
    }
}

/// Why a test cannot go on.
struct Failure: Error {
    let reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// Returns as soon as `condition` holds; machines that run tests are slow at times.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let deadline = monotonicMilliseconds() + 120_000
    while try !condition() {
        guard monotonicMilliseconds() < deadline else { throw Failure("not in time: \(what)") }
        poll(nil, 0, 10)
    }
}

/// Runs `body` on so many threads at once, as calls of a store block; its number is its argument.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    let left = Locked(count)
    for number in 0..<count {
        try Thread(name: "test \(number)") {
            body(number)
            left.withLock { $0 -= 1 }
        }.detach()
    }
    try eventually("all threads are through") { left.withLock { $0 } == 0 }
}
