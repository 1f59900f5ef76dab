import EventStore
import FIMLCore

/// Reads ranges of the stream over a connection of its own, beside the writer.
struct EventReader: ~Copyable {
    private let connection: SQLiteConnection
    private let after: SQLiteStatement
    private let before: SQLiteStatement
    private let earliest: SQLiteStatement

    init(_ connection: consuming SQLiteConnection) throws(SQLiteFailure) {
        let after = try connection.prepare(EventTables.after)
        let before = try connection.prepare(EventTables.before)
        let earliest = try connection.prepare(EventTables.earliest)
        self.connection = connection
        self.after = after
        self.before = before
        self.earliest = earliest
    }

    /// The last events before a position, newest first.
    func read(before position: StreamPosition, limit: Int) throws(SQLiteFailure) -> [StoredEvent] {
        var events: [StoredEvent] = []
        let values: [SQLiteValue] = position.values + [.integer(Int64(clamping: max(0, limit)))]
        try before.forEachRow(values) { row throws(SQLiteFailure) in events.append(try row.storedEvent()) }
        return events
    }

    /// The next events after a position, as the file is at one moment.
    func read(after position: StreamPosition, limit: Int) throws(SQLiteFailure) -> StoredPage {
        // A transaction, so that nothing is trimmed between the two.
        try connection.transaction(begin: "BEGIN") { () throws(SQLiteFailure) in
            var page = StoredPage(earliest: .zero, events: [])
            try earliest.forEachRow { row throws(SQLiteFailure) in page.earliest = try row.position() }
            // SQLite takes a negative limit for none.
            let values: [SQLiteValue] =
                position.values + [.integer(Int64(clamping: max(0, limit)))]
            try after.forEachRow(values) { row throws(SQLiteFailure) in
                page.events.append(try row.storedEvent())
            }
            return page
        }
    }
}

extension StreamPosition {
    /// As it is stored; what lies beyond the integers of SQLite lies beyond everything that is stored.
    var values: [SQLiteValue] {
        [.integer(Int64(clamping: milliseconds)), .integer(Int64(clamping: sequence))]
    }

    /// Where a stream goes on at a moment, milliseconds since 1970.
    init(now: Int64) {
        self.init(milliseconds: UInt64(clamping: now), sequence: 0)
    }
}

extension SQLiteRow {
    /// The position in the first two columns.
    func position() throws(SQLiteFailure) -> StreamPosition {
        guard let milliseconds = UInt64(exactly: integer(0)), let sequence = UInt64(exactly: integer(1))
        else {
            throw .damage("a position is negative")
        }
        return StreamPosition(milliseconds: milliseconds, sequence: sequence)
    }

    /// Position and JSON in the first three columns.
    func storedEvent() throws(SQLiteFailure) -> StoredEvent {
        StoredEvent(position: try position(), json: bytes(2))
    }
}
