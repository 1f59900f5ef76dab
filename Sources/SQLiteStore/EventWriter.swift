import EventStore
import FIMLCore

/// The one connection that appends to the stream and trims it. What it keeps in memory changes only once
/// the file has.
struct EventWriter: ~Copyable {
    private let connection: SQLiteConnection
    private let statements: Statements

    private var earliest: StreamPosition
    private var last: StreamPosition
    /// The numbers of the events that are there.
    private var numbers: Range<Int64>
    /// Fingerprints of what fires.
    private var fingerprints: Set<String> = []

    /// Events that one call of `trim` lets go of at most: some ten milliseconds.
    private static let trimLimit: Int64 = 4_000

    /// Reads where the stream stands. A new stream begins at `now`, milliseconds since 1970. `floor`: nobody
    /// may go on from before it.
    init(_ connection: consuming SQLiteConnection, now: Int64, floor: StreamPosition) throws(SQLiteFailure) {
        let statements = try Statements(connection)
        var stored: StreamPosition?
        try connection.prepare(EventTables.earliest).forEachRow { row throws(SQLiteFailure) in
            stored = try row.position()
        }
        var newest = StreamPosition.zero
        var end: Int64 = 1
        try connection.prepare(EventTables.newest).forEachRow { row throws(SQLiteFailure) in
            newest = try row.position()
            end = row.integer(2) &+ 1
        }
        let start = try connection.integer(EventTables.oldest) ?? end
        guard start > 0, start <= end, end < Int64.max / 2 else {
            throw .damage("the events are not numbered as they should be")
        }
        let earliest = max(stored ?? max(StreamPosition(now: now), newest), floor)
        if earliest != stored { try statements.setEarliest.run(earliest.values) }
        self.connection = connection
        self.statements = statements
        self.earliest = earliest
        last = max(earliest, newest)
        numbers = start..<end
    }

    /// What is there.
    mutating func contents() throws(SQLiteFailure) -> StoreContents {
        var contents = StoreContents(
            earliest: earliest, last: last, count: numbers.count, firing: [], states: [:])
        var fingerprints: Set<String> = []
        try connection.prepare(EventTables.firing).forEachRow([
            .integer(Int64(StoreContents.firingLimit))
        ]) { row throws(SQLiteFailure) in
            contents.firing.append(try row.storedEvent())
            fingerprints.insert(row.text(3))
        }
        try connection.prepare(EventTables.states).forEachRow { row in
            contents.states[row.text(0)] = row.bytes(1)
        }
        self.fingerprints = fingerprints
        return contents
    }

    /// Appends all of the submissions in one transaction. `floor`: positions lie after it.
    mutating func append(
        _ submissions: [Submission], now: Int64, floor: StreamPosition
    ) throws(SQLiteFailure) -> [Appended] {
        var last = max(last, floor)
        var end = numbers.upperBound
        var conditions = Conditions(firing: fingerprints.count)
        let appended = try connection.transaction { () throws(SQLiteFailure) in
            var appended: [Appended] = []
            for submission in submissions {
                var positions: [StreamPosition] = []
                for event in submission.events {
                    last = last.next(at: now)
                    try statements.insert.run(last.values + [.integer(end), .utf8(event.json)])
                    end += 1
                    conditions.note(
                        event.event, at: last, json: event.json, wasFiring: { fingerprints.contains($0) })
                    positions.append(last)
                }
                try write(submission.states)
                appended.append(.stored(positions))
            }
            try write(conditions)
            return appended
        }
        committed(last: last, end: end, conditions)
        return appended
    }

    /// See `LocalEventStore`.
    mutating func append(told events: [ToldEvent], states: [String: [UInt8]]) throws(SQLiteFailure) {
        var end = numbers.upperBound
        var conditions = Conditions(firing: fingerprints.count)
        let fingerprints = fingerprints
        try connection.transaction { () throws(SQLiteFailure) in
            // Changes nothing, but must be written.
            try statements.setEarliest.run(earliest.values)
            for event in events {
                try statements.insert.run(
                    event.position.values + [.integer(end), .utf8(event.event.json)])
                end += 1
                conditions.note(
                    event.event.event, at: event.position, json: event.event.json,
                    wasFiring: { fingerprints.contains($0) })
            }
            try write(states)
            try write(conditions)
        }
        // What was told before this file was begun lies before its first position.
        committed(last: max(last, events.last?.position ?? last), end: end, conditions)
    }

    /// Takes up what is in the file now.
    private mutating func committed(last: StreamPosition, end: Int64, _ conditions: Conditions) {
        if end > numbers.upperBound { self.last = last }
        numbers = numbers.lowerBound..<end
        for (fingerprint, change) in conditions.changes {
            switch change {
            case .fires: fingerprints.insert(fingerprint)
            case .resolved: fingerprints.remove(fingerprint)
            }
        }
    }

    private func write(_ states: [String: [UInt8]]) throws(SQLiteFailure) {
        for (name, state) in states { try statements.setState.run([.text(name), .blob(state)]) }
    }

    private func write(_ conditions: Conditions) throws(SQLiteFailure) {
        for (fingerprint, change) in conditions.changes { try write(change, of: fingerprint) }
    }

    private func write(_ change: Conditions.Change, of fingerprint: String) throws(SQLiteFailure) {
        switch change {
        case .fires(let event):
            try statements.fire.run([.text(fingerprint)] + event.position.values + [.utf8(event.json)])
        case .resolved: try statements.resolve.run([.text(fingerprint)])
        }
    }

    /// See `EventStore.trim`.
    mutating func trim(
        toNewest count: Int, storedSince moment: Int64?
    ) throws(SQLiteFailure) -> (earliest: StreamPosition, count: Int) {
        guard numbers.count > count || moment != nil else { return (earliest, numbers.count) }
        let kept = Int64(max(0, count))
        var newest: StreamPosition?
        try statements.cut.forEachRow([
            .integer(numbers.upperBound - 1 - kept), .integer(moment ?? 0), .integer(Self.trimLimit),
        ]) { row throws(SQLiteFailure) in newest = try row.position() }
        guard let newest else { return (earliest, numbers.count) }
        let earliest = max(earliest, newest)
        let gone = try connection.transaction { () throws(SQLiteFailure) in
            try statements.deleteUpTo.run(newest.values)
            let gone = connection.changes
            try statements.setEarliest.run(earliest.values)
            return gone
        }
        numbers = min(numbers.lowerBound + Int64(gone), numbers.upperBound)..<numbers.upperBound
        self.earliest = earliest
        return (earliest, numbers.count)
    }

    /// See `SQLiteFile.look`.
    func look(after file: SQLiteFile) throws(SQLiteFailure) {
        try file.look(after: connection)
    }
}

/// The statements of a writer, compiled once.
private struct Statements: ~Copyable {
    let insert: SQLiteStatement
    let fire: SQLiteStatement
    let resolve: SQLiteStatement
    let setState: SQLiteStatement
    let cut: SQLiteStatement
    let deleteUpTo: SQLiteStatement
    let setEarliest: SQLiteStatement

    init(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        // All first: what is set must be set whole.
        let insert = try connection.prepare(EventTables.insert)
        let fire = try connection.prepare(EventTables.fire)
        let resolve = try connection.prepare(EventTables.resolve)
        let setState = try connection.prepare(EventTables.setState)
        let cut = try connection.prepare(EventTables.cut)
        let deleteUpTo = try connection.prepare(EventTables.deleteUpTo)
        let setEarliest = try connection.prepare(EventTables.setEarliest)
        self.insert = insert
        self.fire = fire
        self.resolve = resolve
        self.setState = setState
        self.cut = cut
        self.deleteUpTo = deleteUpTo
        self.setEarliest = setEarliest
    }
}
