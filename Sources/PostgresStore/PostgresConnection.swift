import CPostgres
import Glibc
import LinuxSystem

/// One connection to PostgreSQL, and the only place where libpq is called. Its calls block, each for a
/// bounded time; after an error that `endsConnection` it is of no more use.
///
/// @unchecked is true: libpq allows any thread, one at a time (libpq, "Behavior in Threaded Programs"), and
/// `PostgresPool` lends a connection to one caller at a time.
final class PostgresConnection: @unchecked Sendable {
    /// Rows of columns; nil is NULL.
    typealias Rows = [[[UInt8]?]]

    private let pointer: OpaquePointer
    /// Milliseconds that an answer may take; the server itself gives up two seconds earlier.
    private let patience: UInt64

    /// Connects and logs in.
    init(_ address: PostgresAddress) throws(PostgresError) {
        let answerMilliseconds = address.answerTimeout.wholeMilliseconds
        patience = answerMilliseconds + 2000
        guard let pointer = Self.connect(Self.parameters(of: address)) else {
            throw .noConnection("out of memory")
        }
        self.pointer = pointer
        guard PQstatus(pointer) == CONNECTION_OK else { throw .noConnection(message) }
        // libpq would write notices to the error output, which is the log's; only one that comes with the end
        // of the login still gets there.
        PQsetNoticeProcessor(pointer, { _, _ in }, nil)
        guard PQsetnonblocking(pointer, 1) == 0 else { throw .noConnection(message) }
        // Not by the connection's `options`, which poolers refuse.
        _ = try run(
            """
            SELECT set_config('statement_timeout', $1, false),
                set_config('client_min_messages', 'error', false)
            """, [.text("\(answerMilliseconds)")])
    }

    deinit {
        PQfinish(pointer)
    }

    /// Runs one statement and gives back its rows, columns in binary format.
    func run(_ statement: String, _ values: [PostgresValue] = []) throws(PostgresError) -> Rows {
        let deadline = monotonicMilliseconds() + patience
        guard send(statement, values) else { throw .lost(message) }
        try flush(deadline: deadline)
        var rows: Rows = []
        var failure: PostgresError?
        while let result = try nextResult(deadline: deadline) {
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            if status == PGRES_TUPLES_OK {
                rows = Self.rows(of: result)
            } else if status != PGRES_COMMAND_OK {
                failure = failure ?? self.failure(of: result)
            }
        }
        if let failure { throw failure }
        guard PQstatus(pointer) == CONNECTION_OK else { throw .lost(message) }
        return rows
    }

    /// Whether it can begin anything, and nothing that failed is left to be undone.
    var isOutsideTransaction: Bool { PQtransactionStatus(pointer) == PQTRANS_IDLE }

    // MARK: To the server

    private static func parameters(of address: PostgresAddress) -> [(String, String)] {
        var parameters = [
            ("host", address.host), ("port", "\(address.port)"), ("dbname", address.database),
            ("user", address.user),
            ("connect_timeout", "\(max(2, address.connectTimeout.components.seconds))"),
            ("application_name", "fiml-gateway"), ("client_encoding", "UTF8"),
            // Kerberos would be asked for tickets first.
            ("gssencmode", "disable"),
            // A server that vanishes without a word is noticed within a minute, while nothing is asked too.
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ]
        if let password = address.password { parameters.append(("password", password)) }
        return parameters
    }

    private static func connect(_ parameters: [(String, String)]) -> OpaquePointer? {
        let names = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { (names + values).forEach { free($0) } }
        var namePointers = names.map { UnsafePointer($0) }
        var valuePointers = values.map { UnsafePointer($0) }
        namePointers.append(nil)
        valuePointers.append(nil)
        // 0: a database's name is a name, not a string of more parameters.
        return PQconnectdbParams(namePointers, valuePointers, 0)
    }

    /// libpq copies everything before it returns, so pointers into `bytes` need not live longer.
    private func send(_ statement: String, _ values: [PostgresValue]) -> Bool {
        let parameters = values.map(\.bytes)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parameters.reduce(1) { $0 + ($1?.count ?? 0) })
        for parameter in parameters { bytes += parameter ?? [] }
        // An empty value needs a pointer too, as nil is NULL.
        bytes.append(0)
        let lengths = parameters.map { Int32($0?.count ?? 0) }
        let binary = [Int32](repeating: 1, count: values.count)
        return bytes.withUnsafeBytes { buffer in
            var offset = 0
            let pointers = parameters.map { parameter -> UnsafePointer<CChar>? in
                guard let parameter else { return nil }
                defer { offset += parameter.count }
                return buffer.baseAddress.map { ($0 + offset).assumingMemoryBound(to: CChar.self) }
            }
            return PQsendQueryParams(
                pointer, statement, Int32(values.count), values.map(\.type), pointers, lengths, binary, 1)
                == 1
        }
    }

    private func flush(deadline: UInt64) throws(PostgresError) {
        while true {
            let left = PQflush(pointer)
            if left == 0 { return }
            guard left == 1 else { throw .lost(message) }
            // The server may want to be read from before it reads on.
            if try wait(for: POLLIN | POLLOUT, deadline: deadline) & Int16(POLLIN) != 0 { try consume() }
        }
    }

    // MARK: From the server

    private func nextResult(deadline: UInt64) throws(PostgresError) -> OpaquePointer? {
        while PQisBusy(pointer) == 1 {
            _ = try wait(for: POLLIN, deadline: deadline)
            try consume()
        }
        return PQgetResult(pointer)
    }

    /// What the server said last may already be here, and says more than that the connection is gone: where
    /// there is a result, it is read first.
    private func consume() throws(PostgresError) {
        if PQconsumeInput(pointer) == 0 && PQisBusy(pointer) == 1 { throw .lost(message) }
    }

    private func wait(for events: Int32, deadline: UInt64) throws(PostgresError) -> Int16 {
        var interest = pollfd(fd: PQsocket(pointer), events: Int16(events), revents: 0)
        guard interest.fd >= 0 else { throw .lost(message) }
        while true {
            let now = monotonicMilliseconds()
            guard now < deadline else { throw .silent }
            let ready = poll(&interest, 1, Int32(clamping: deadline - now))
            if ready > 0 { return interest.revents }
            if ready < 0 && errno != EINTR { throw .lost(SystemCallError("poll").description) }
        }
    }

    private func failure(of result: OpaquePointer) -> PostgresError {
        // Letters of the fields in postgres_ext.h: SQLSTATE, primary message, severity in English.
        let state = Self.text(PQresultErrorField(result, Int32(UInt8(ascii: "C"))))
        let message = Self.text(PQresultErrorField(result, Int32(UInt8(ascii: "M"))))
        let severity = Self.text(PQresultErrorField(result, Int32(UInt8(ascii: "V"))))
        let isOver = severity == "FATAL" || severity == "PANIC" || PQstatus(pointer) != CONNECTION_OK
        guard !state.isEmpty else { return .lost(Self.text(PQresultErrorMessage(result))) }
        return .failed(state: state, message: message, isOver: isOver)
    }

    private static func rows(of result: OpaquePointer) -> Rows {
        let columns = PQnfields(result)
        return (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column)
                else {
                    return nil
                }
                return [UInt8](
                    UnsafeRawBufferPointer(start: value, count: Int(PQgetlength(result, row, column))))
            }
        }
    }

    private var message: String { Self.text(PQerrorMessage(pointer)) }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }
}
