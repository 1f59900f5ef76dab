import CSQLite
import EventStore
import Glibc

/// What SQLite said when it could not do something.
struct SQLiteFailure: Error, Equatable {
    /// SQLite's result code, extended.
    var code: Int32
    /// SQLite's words for it.
    var message: String
    /// `errno` of the system call behind it; 0 where there was none.
    var systemError: Int32 = 0

    /// A file whose content contradicts itself, where SQLite itself saw nothing wrong.
    static func damage(_ what: String) -> SQLiteFailure {
        SQLiteFailure(code: SQLITE_CORRUPT, message: what)
    }

    /// A file that was deleted or renamed while it was open.
    static var gone: SQLiteFailure {
        SQLiteFailure(code: sqlite_file_moved(), message: "it was deleted or renamed")
    }

    /// Whether the content of the file is to blame: trying again does not help.
    var isDamage: Bool {
        [SQLITE_CORRUPT, SQLITE_NOTADB].contains(code & 0xFF)
    }

    /// What a caller is told: the file, the cause, and what to do.
    func storeError(file: String) -> StoreError {
        if isDamage {
            return .unusable(
                "\(file) is damaged (\(message)): start the gateway again, which sets it aside and begins a "
                    + "new one")
        }
        if code == sqlite_file_moved() {
            return .unusable(
                "\(file) was deleted or renamed while the gateway had it open: start the gateway again")
        }
        if code & 0xFF == SQLITE_FULL || [ENOSPC, EDQUOT].contains(systemError) {
            return .unavailable("\(file) cannot grow, the disk is full: free space there")
        }
        switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED:
            return .unavailable(
                "\(file) is locked by another program: end what has it open, such as a sqlite3 shell in a "
                    + "transaction")
        case SQLITE_READONLY, SQLITE_PERM:
            return .unavailable(
                "\(file) cannot be written (\(cause)): give the gateway's user the right to write the file "
                    + "and its directory")
        case SQLITE_CANTOPEN:
            return .unavailable(
                "\(file) cannot be opened (\(cause)): see that FIML_DATA_DIR is a directory where the "
                    + "gateway's user may read and write")
        case SQLITE_IOERR:
            return .unavailable("\(file) cannot be read or written (\(cause)): look at the disk")
        default:
            return .unavailable("\(file): SQLite reports \(cause) (\(code)): see sqlite.org/rescode.html")
        }
    }

    private var cause: String {
        systemError == 0 ? message : "\(message), \(String(cString: strerror(systemError)))"
    }
}
