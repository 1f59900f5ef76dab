import EventStore
import FIMLCore
import FoundationEssentials
import Glibc
import LinuxSystem
import Locking

/// A database file in the data directory: locked for one process, of a version that is known, and set aside
/// where it is damaged.
///
/// The lock is a file of its own. It also holds the note that damage was seen, so that the next process looks
/// through the whole file, which takes seconds, only where there is reason to.
final class SQLiteFile: Sendable {
    /// The file.
    let path: String

    private let directory: String
    private let lockPath: String
    /// What is in it, for people: "events".
    private let content: String
    /// SQL that leads from each version to the next; the file's `user_version` says how many of them it has.
    private let migrations: [String]
    /// Whether a commit survives a power loss: `FULL`, or else `NORMAL`.
    private let synchronous: String

    private let noteOfDamage = Locked<NoteFile?>(nil)
    private let notices = Locked<[String]>([])

    /// Bytes of the write-ahead log at which it is emptied.
    private let logLimit: Int
    /// The same, for the next time.
    private let nextLogLimit: Locked<Int>

    private static let damaged = "damaged"
    private static let noticeLimit = 16

    /// The file `<name>.db`, with `<name>.lock` beside it.
    init(
        directory: String, name: String, content: String, synchronous: String, migrations: [String],
        logLimit: Int = 64 << 20
    ) {
        path = "\(directory)/\(name).db"
        lockPath = "\(directory)/\(name).lock"
        self.directory = directory
        self.content = content
        self.synchronous = synchronous
        self.migrations = migrations
        self.logLimit = logLimit
        nextLogLimit = Locked(logLimit)
    }

    /// Takes the lock, which is held until `unlock`. Unusable where another process has it.
    func lock() throws(StoreError) {
        let isOurs: Bool
        do throws(SystemCallError) {
            isOurs = try noteOfDamage.withLock { slot throws(SystemCallError) in
                let note = try NoteFile(path: lockPath)
                guard try note.lock() else { return false }
                slot = consume note
                return true
            }
        } catch {
            throw lockError(error)
        }
        guard isOurs else {
            throw .unusable(
                "another gateway keeps its \(content) in \(directory): end it, or give each gateway a "
                    + "FIML_DATA_DIR of its own")
        }
    }

    /// Opens the locked file or makes it, brings it to the newest version, and has `body` read what it needs
    /// of it. Where SQLite or `body` finds damage, it is done again with a new file, once.
    func open<Opened: ~Copyable>(
        _ body: (consuming SQLiteConnection) throws(SQLiteFailure) -> Opened
    ) throws(StoreError) -> Opened {
        try open(isSecondTry: false, body)
    }

    private func open<Opened: ~Copyable>(
        isSecondTry: Bool, _ body: (consuming SQLiteConnection) throws(SQLiteFailure) -> Opened
    ) throws(StoreError) -> Opened {
        let isSuspect = try isDamageNoted()
        switch attempt(isSuspect: isSuspect, body) {
        case .success(let opened):
            if isSuspect { write(note: "") }
            return opened
        case .refused(let sentence): throw .unusable(sentence)
        case .failure(let failure):
            guard failure.isDamage, !isSecondTry else { throw storeError(failure) }
            try setAside(because: failure.message)
            write(note: "")
        }
        return try open(isSecondTry: true, body)
    }

    /// One more connection to the open file, for reading.
    func reader() throws(SQLiteFailure) -> SQLiteConnection {
        try SQLiteConnection(path: path, isReadOnly: true)
    }

    /// What a caller is told of a failure. Damage is noted for the next process.
    func storeError(_ failure: SQLiteFailure) -> StoreError {
        if failure.isDamage { write(note: Self.damaged) }
        return failure.storeError(file: path)
    }

    /// To be called before something is written: the file must still be there, and its log short.
    func look(after connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        if connection.isFileGone { throw .gone }
        try emptyLog(over: connection)
    }

    /// Empties the write-ahead log where it has grown beyond its limit: writes it into the file and begins it
    /// anew. SQLite does so by itself at 8 MB, but only when nobody reads, and reads may overlap without end;
    /// this waits for those that are under way.
    private func emptyLog(over connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        var status = stat()
        let limit = nextLogLimit.withLock { $0 }
        guard stat("\(path)-wal", &status) == 0, status.st_size > limit else { return }
        var isBusy = true
        try connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").forEachRow { isBusy = $0.integer(0) != 0 }
        // A program that reads for long is not waited for again at once.
        let next = isBusy ? Int(status.st_size) + logLimit : logLimit
        nextLogLimit.withLock { $0 = next }
    }

    /// Adds a sentence that the log is to have; not where nobody has taken the last ones.
    func notice(_ sentence: String) {
        notices.withLock { if $0.count < Self.noticeLimit { $0.append(sentence) } }
    }

    /// Sentences for the log that came up since the last call.
    func takeNotices() -> [String] {
        notices.withLock { notices in
            defer { notices = [] }
            return notices
        }
    }

    /// Gives the lock up.
    func unlock() {
        noteOfDamage.withLock { $0 = nil }
    }

    private func lockError(_ error: SystemCallError) -> StoreError {
        .unavailable(
            "\(lockPath) cannot be used (\(error)): see that FIML_DATA_DIR is a directory where the "
                + "gateway's user may read and write")
    }

    private func isDamageNoted() throws(StoreError) -> Bool {
        do throws(SystemCallError) {
            return try noteOfDamage.withLock { note throws(SystemCallError) in
                try note?.read() == Self.damaged
            }
        } catch {
            throw lockError(error)
        }
    }

    private func write(note text: String) {
        noteOfDamage.withLock { note in
            do throws(SystemCallError) {
                guard try note?.read() != text else { return }
                try note?.write(text)
            } catch {
                notice("\(lockPath) cannot be written (\(error)): look at the disk")
            }
        }
    }
}

// MARK: - Opening

extension SQLiteFile {
    private enum Outcome<Opened: ~Copyable>: ~Copyable {
        case success(Opened)
        /// It is whole, but not for us; the sentence for the caller.
        case refused(String)
        case failure(SQLiteFailure)
    }

    private func attempt<Opened: ~Copyable>(
        isSuspect: Bool, _ body: (consuming SQLiteConnection) throws(SQLiteFailure) -> Opened
    ) -> Outcome<Opened> {
        do throws(SQLiteFailure) {
            makePrivate()
            let connection = try SQLiteConnection(path: path, isReadOnly: false)
            // The page is that of a new file. A row beyond an eighth of it is kept apart, which costs another
            // read; most events are shorter.
            try connection.execute("PRAGMA page_size = 8192; PRAGMA cell_size_check = ON")
            let version = Int(try connection.integer("PRAGMA user_version") ?? 0)
            if let refusal = try refusal(connection, version: version) { return .refused(refusal) }
            try connection.execute("PRAGMA synchronous = \(synchronous); PRAGMA cache_size = -8000")
            for (number, sql) in zip(1..., migrations).dropFirst(version) {
                try connection.transaction { () throws(SQLiteFailure) in
                    try connection.execute("\(sql); PRAGMA user_version = \(number)")
                }
            }
            if isSuspect {
                let found = try connection.text("PRAGMA quick_check(1)")
                guard found == "ok" else { throw SQLiteFailure.damage(Self.oneLine(found)) }
            }
            syncDirectory()
            return .success(try body(connection))
        } catch {
            return .failure(error)
        }
    }

    /// Why this file is not to be touched; nil where it is ours.
    private func refusal(
        _ connection: borrowing SQLiteConnection, version: Int
    ) throws(SQLiteFailure) -> String? {
        if version < 0 || version > migrations.count {
            return "\(path) is of version \(version), and this gateway knows versions up to "
                + "\(migrations.count): start the newer gateway that wrote it, or move the file away"
        }
        if version == 0, try connection.integer("SELECT count(*) FROM sqlite_schema") != 0 {
            return "\(path) is the database of another program: move it away, or set FIML_DATA_DIR to "
                + "another directory"
        }
        guard try connection.text("PRAGMA journal_mode = WAL") == "wal" else {
            return "\(path) cannot have a write-ahead log there: set FIML_DATA_DIR to a directory on a local "
                + "disk"
        }
        return nil
    }

    /// Makes the file, where it is not there, for this user only; SQLite gives its other files the same mode.
    /// What goes wrong SQLite will meet again, and say.
    private func makePrivate() {
        let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Makes new names in the directory survive a power loss. File systems that cannot do it need not.
    private func syncDirectory() {
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}

// MARK: - Damage

extension SQLiteFile {
    /// Damaged files that may lie there. They are never deleted; where as many are there, storage is failing
    /// and somebody must look, rather than the disk fill up.
    static let asideLimit = 3

    /// Renames the file and what belongs to it. The file first: without its log it might pass for whole.
    private func setAside(because cause: String) throws(StoreError) {
        let aside = "\(path).damaged-\(Self.compactTime())"
        guard asideCount < Self.asideLimit else {
            throw .unusable(
                "\(path) is damaged (\(cause)), as \(Self.asideLimit) files before it, \(path).damaged-*: "
                    + "check the disk, then move those away")
        }
        for suffix in ["", "-wal", "-shm"] where access("\(path)\(suffix)", F_OK) == 0 {
            guard rename("\(path)\(suffix)", "\(aside)\(suffix)") == 0 else {
                throw .unavailable(
                    "\(path)\(suffix) is damaged (\(cause)) and cannot be renamed "
                        + "(\(SystemCallError("rename"))): move it away")
            }
        }
        syncDirectory()
        notice(
            "\(path) is damaged (\(cause)): it is set aside as \(aside), where `sqlite3 … .recover` may read "
                + "some of it, and new \(content) begin")
    }

    /// How many damaged files lie there.
    private var asideCount: Int {
        let entries: [String]
        do {
            entries = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            // A directory that cannot be read: renaming will fail as well, and say so.
            return 0
        }
        return entries.count { entry in
            "\(directory)/\(entry)".hasPrefix("\(path).damaged-") && !entry.hasSuffix("-wal")
                && !entry.hasSuffix("-shm")
        }
    }

    /// `20241124T052401123Z`.
    private static func compactTime() -> String {
        Timestamp(milliseconds: wallMilliseconds()).rfc3339.filter { !"-:.".contains($0) }
    }

    /// Text of SQLite's as part of a sentence.
    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: ", ")
    }
}
