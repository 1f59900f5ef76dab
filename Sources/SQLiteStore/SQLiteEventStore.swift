import EventStore
import FIMLCore
import LinuxSystem
import Locking
import Synchronization

/// The event stream in `events.db`, a file of SQLite in a directory of this process alone.
///
/// An event that was appended survives the end of the process at any moment and the loss of power: each
/// `append` is one transaction, on disk before it returns. Readers wait neither for it nor for each other.
///
/// A file that is damaged when it is opened is set aside as `events.db.damaged-<time>`, and an empty stream
/// begins at `now`, so that nobody goes on from before it. Damage that shows later is thrown as `unusable`;
/// `open` may then be called again, as after any other error.
public final class SQLiteEventStore: LocalEventStore {
    /// `sqlite`.
    public let kind = "sqlite"

    private let file: SQLiteFile
    private let markPath: String
    // These locks are held over reads and writes of the file: who calls is ready to wait.
    private let writer = Locked<EventWriter?>(nil)
    private let readers = [Locked<EventReader?>(nil), Locked<EventReader?>(nil)]
    private let nextReader = Atomic<Int>(0)
    private let mark = Locked<NoteFile?>(nil)
    /// Whether this process has marked: then the mark tells of no process that died.
    private let isMarked = Locked(false)
    /// What was marked: positions are assigned after it.
    private let floor = Locked<StreamPosition>(.zero)

    /// A store in that directory, which must be there; nothing is opened yet.
    public init(directory: String) {
        file = SQLiteFile(
            directory: directory, name: "events", content: "events", synchronous: "FULL",
            migrations: EventTables.migrations)
        markPath = "\(directory)/events.unstored"
    }

    /// Sentences for the log that came up since the last call: what was set aside, where nobody can go on.
    public func takeNotices() -> [String] {
        file.takeNotices()
    }

    /// Opens the file, or makes it. Unusable where another gateway has it, where it is of a newer version, or
    /// where it is damaged and three damaged ones lie there already.
    public func open(now: Int64) throws(StoreError) -> StoreContents {
        close()
        do throws(StoreError) {
            try file.lock()
            let floor = try openMark(now: now)
            let contents = try writer.withLock { writer throws(StoreError) in
                var contents: StoreContents?
                writer = try file.open { connection throws(SQLiteFailure) in
                    var opened = try EventWriter(connection, now: now, floor: floor)
                    contents = try opened.contents()
                    return opened
                }
                return contents
            }
            guard let contents else { throw closed }
            if floor > .zero {
                try clearUnstored()
                file.notice(
                    "the gateway ended while events were not stored that clients had been sent: nobody can "
                        + "go on from before \(contents.earliest)")
            }
            try openReaders()
            return contents
        } catch {
            close()
            throw error
        }
    }

    /// Appends all of the submissions in one transaction. Fences are for shared stores: here none falls.
    public func append(_ submissions: [Submission], now: Int64) throws(StoreError) -> [Appended] {
        let floor = floor.withLock { $0 }
        return try write { writer throws(SQLiteFailure) in
            try writer.append(submissions, now: now, floor: floor)
        }
    }

    /// The next events after a position, oldest first, at most `limit`.
    public func read(after position: StreamPosition, limit: Int) throws(StoreError) -> StoredPage {
        try read { reader throws(SQLiteFailure) in try reader.read(after: position, limit: limit) }
    }

    /// The last events before a position, newest first, at most `limit`.
    public func read(before position: StreamPosition, limit: Int) throws(StoreError) -> [StoredEvent] {
        try read { reader throws(SQLiteFailure) in try reader.read(before: position, limit: limit) }
    }

    /// Stores what was told without it; see `LocalEventStore`.
    public func append(told events: [ToldEvent], states: [String: [UInt8]]) throws(StoreError) {
        try write { writer throws(SQLiteFailure) in try writer.append(told: events, states: states) }
    }

    /// Lets go of the oldest events, some thousand at a time.
    public func trim(toNewest count: Int, storedSince moment: Int64?) throws(StoreError) -> (
        earliest: StreamPosition, count: Int
    ) {
        try write { writer throws(SQLiteFailure) in
            try writer.trim(toNewest: count, storedSince: moment)
        }
    }

    /// Ends it in order; the log is written into the file.
    public func close() {
        for reader in readers { reader.withLock { $0 = nil } }
        writer.withLock { $0 = nil }
        mark.withLock { $0 = nil }
        file.unlock()
    }

    /// Marks up to where clients may have seen events that are not here.
    public func markUnstored(upTo position: StreamPosition) throws(StoreError) {
        floor.withLock { $0 = max($0, position) }
        isMarked.withLock { $0 = true }
        try write(mark: position.description)
    }

    /// Takes the mark away.
    public func clearUnstored() throws(StoreError) {
        try write(mark: "")
        isMarked.withLock { $0 = false }
    }
}

// MARK: - Parts

extension SQLiteEventStore {
    private var closed: StoreError { .unavailable("\(file.path) is not open") }

    private func write<Result: Sendable>(
        _ body: (inout EventWriter) throws(SQLiteFailure) -> Result
    ) throws(StoreError) -> Result {
        do throws(SQLiteFailure) {
            let result = try writer.withLock { writer throws(SQLiteFailure) -> Result? in
                guard writer != nil else { return nil }
                try writer?.look(after: file)
                return try body(&writer!)
            }
            if let result { return result }
        } catch {
            throw file.storeError(error)
        }
        throw closed
    }

    private func read<Result: Sendable>(
        _ body: (borrowing EventReader) throws(SQLiteFailure) -> Result
    ) throws(StoreError) -> Result {
        let turn = nextReader.wrappingAdd(1, ordering: .relaxed).newValue
        let reader = readers[(turn & Int.max) % readers.count]
        do throws(SQLiteFailure) {
            let result = try reader.withLock { reader throws(SQLiteFailure) -> Result? in
                guard reader != nil else { return nil }
                return try body(reader!)
            }
            if let result { return result }
        } catch {
            throw file.storeError(error)
        }
        throw closed
    }

    private func openReaders() throws(StoreError) {
        for reader in readers {
            do throws(SQLiteFailure) {
                try reader.withLock { reader throws(SQLiteFailure) in
                    reader = try EventReader(try file.reader())
                }
            } catch {
                throw file.storeError(error)
            }
        }
    }

    /// Opens the file of the mark; the position after what a process before this one marked.
    private func openMark(now: Int64) throws(StoreError) -> StreamPosition {
        do throws(SystemCallError) {
            let text = try mark.withLock { mark throws(SystemCallError) in
                let note = try NoteFile(path: markPath)
                let text = try note.read()
                mark = consume note
                return text
            }
            guard !text.isEmpty, !isMarked.withLock({ $0 }) else { return .zero }
            guard var position = StreamPosition(text) else { return StreamPosition(now: now) }
            position.sequence &+= 1
            return position
        } catch {
            throw markError(error)
        }
    }

    private func write(mark text: String) throws(StoreError) {
        var isOpen = false
        do throws(SystemCallError) {
            isOpen = try mark.withLock { note throws(SystemCallError) in try note?.write(text) != nil }
        } catch {
            throw markError(error)
        }
        guard isOpen else { throw closed }
    }

    private func markError(_ error: SystemCallError) -> StoreError {
        .unavailable("\(markPath) cannot be used (\(error)): look at the disk of FIML_DATA_DIR")
    }
}
