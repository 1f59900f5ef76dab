import CSQLite

/// A value that a statement is run with.
enum SQLiteValue {
    case integer(Int64)
    case text(String)
    /// Text that is UTF-8 already.
    case utf8([UInt8])
    case blob([UInt8])
}

/// A connection to a database file, for one thread at a time.
///
/// This file has the only pointers of the module. A connection and a statement own theirs alone, being
/// `~Copyable`; bytes go in as copies and come out as copies.
struct SQLiteConnection: ~Copyable {
    private let handle: OpaquePointer

    /// Milliseconds for which a lock of another program is waited for.
    private static let busyMilliseconds: Int32 = 2_000

    /// Opens a file; where it may be written, also one that is not there yet.
    init(path: String, isReadOnly: Bool) throws(SQLiteFailure) {
        let access = isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        var opened: OpaquePointer?
        // NOMUTEX: whoever has a connection guards it.
        let result = sqlite3_open_v2(path, &opened, access | SQLITE_OPEN_NOMUTEX, nil)
        guard let opened else { throw SQLiteFailure(code: result, message: "out of memory") }
        sqlite3_extended_result_codes(opened, 1)
        sqlite3_busy_timeout(opened, Self.busyMilliseconds)
        guard result == SQLITE_OK, sqlite_harden(opened) == SQLITE_OK else {
            let failure = Self.failure(opened)
            sqlite3_close_v2(opened)
            throw failure
        }
        handle = opened
    }

    deinit {
        // v2: statements that are still there keep it until they are gone.
        sqlite3_close_v2(handle)
    }

    /// SQLite's version: `3.40.1`.
    static var version: String { String(cString: sqlite3_libversion()) }

    /// Runs SQL text, one statement or several, for its effect.
    func execute(_ sql: String) throws(SQLiteFailure) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw Self.failure(handle) }
    }

    /// Compiles one statement, to be run many times.
    func prepare(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
        var statement: OpaquePointer?
        let result = sqlite3_prepare_v3(
            handle, sql, -1, UInt32(bitPattern: SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard result == SQLITE_OK, let statement else { throw Self.failure(handle) }
        return SQLiteStatement(owning: statement)
    }

    /// The first column of the first row, as an integer; nil where there is no row.
    func integer(_ sql: String) throws(SQLiteFailure) -> Int64? {
        var integer: Int64?
        try prepare(sql).forEachRow { row in integer = integer ?? row.integer(0) }
        return integer
    }

    /// The first column of the first row, as text; empty where there is no row.
    func text(_ sql: String) throws(SQLiteFailure) -> String {
        var text: String?
        try prepare(sql).forEachRow { row in text = text ?? row.text(0) }
        return text ?? ""
    }

    /// Rows that the last statement changed.
    var changes: Int { Int(sqlite3_changes64(handle)) }

    /// Whether the file was deleted or has another name by now; what is written is then lost at the end.
    var isFileGone: Bool {
        var hasMoved: Int32 = 0
        return sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved) == SQLITE_OK
            && hasMoved != 0
    }

    /// Runs `body` in a transaction, which is undone where it throws.
    func transaction<Result>(
        begin: String = "BEGIN IMMEDIATE", _ body: () throws(SQLiteFailure) -> Result
    ) throws(SQLiteFailure) -> Result {
        try execute(begin)
        do throws(SQLiteFailure) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // After some errors SQLite has undone it already; then this one has nothing to do.
            if sqlite3_get_autocommit(handle) == 0 { sqlite3_exec(handle, "ROLLBACK", nil, nil, nil) }
            throw error
        }
    }

    fileprivate static func failure(_ handle: OpaquePointer) -> SQLiteFailure {
        let code = sqlite3_extended_errcode(handle)
        let isOfSystem = [SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_FULL].contains(code & 0xFF)
        return SQLiteFailure(
            code: code, message: String(cString: sqlite3_errmsg(handle)),
            systemError: isOfSystem ? sqlite3_system_errno(handle) : 0)
    }
}

/// A compiled statement. It keeps its connection open.
struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer

    fileprivate init(owning handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Runs it for its effect.
    func run(_ values: [SQLiteValue] = []) throws(SQLiteFailure) {
        try forEachRow(values) { _ in }
    }

    /// Runs it and calls `body` with each row.
    func forEachRow(
        _ values: [SQLiteValue] = [], _ body: (SQLiteRow) throws(SQLiteFailure) -> Void
    ) throws(SQLiteFailure) {
        // Ends what the run holds: locks, and the values. Its result repeats the error of the run.
        defer {
            sqlite3_reset(handle)
            sqlite3_clear_bindings(handle)
        }
        for (index, value) in zip(Int32(1)..., values) {
            guard bind(value, at: index) == SQLITE_OK else { throw failure }
        }
        while true {
            let result = sqlite3_step(handle)
            guard result == SQLITE_ROW else {
                guard result == SQLITE_DONE else { throw failure }
                return
            }
            try body(SQLiteRow(handle: handle))
        }
    }

    private func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
        switch value {
        case .integer(let integer):
            sqlite3_bind_int64(handle, index, integer)
        case .text(let text):
            sqlite_bind_text(handle, index, text, UInt64(text.utf8.count))
        case .utf8(let bytes):
            bytes.withUnsafeBytes { bytes in
                sqlite_bind_text(
                    handle, index, bytes.bindMemory(to: CChar.self).baseAddress, UInt64(bytes.count))
            }
        case .blob(let bytes) where bytes.isEmpty:
            // Without an address it would be NULL.
            sqlite3_bind_zeroblob(handle, index, 0)
        case .blob(let bytes):
            bytes.withUnsafeBytes { sqlite_bind_blob(handle, index, $0.baseAddress, UInt64($0.count)) }
        }
    }

    private var failure: SQLiteFailure {
        guard let connection = sqlite3_db_handle(handle) else {
            return SQLiteFailure(code: SQLITE_MISUSE, message: "a statement without a connection")
        }
        return SQLiteConnection.failure(connection)
    }
}

/// A row of a running statement; good only within the closure that it is given to.
struct SQLiteRow {
    fileprivate let handle: OpaquePointer

    /// A column as an integer; 0 where it is none.
    func integer(_ column: Int32) -> Int64 {
        sqlite3_column_int64(handle, column)
    }

    /// The bytes of a text or blob column.
    func bytes(_ column: Int32) -> [UInt8] {
        // In this order: asking for the address may convert the value, and so change its length.
        guard let start = sqlite3_column_blob(handle, column) else { return [] }
        let count = Int(sqlite3_column_bytes(handle, column))
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }

    /// A text column.
    func text(_ column: Int32) -> String {
        String(decoding: bytes(column), as: UTF8.self)
    }
}
