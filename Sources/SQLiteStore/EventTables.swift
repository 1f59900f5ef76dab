/// The tables of `events.db`.
enum EventTables {
    /// From each version to the next; a published one never changes.
    static let migrations = [
        // Positions are two integers, as they are written. `number` counts the events without a gap, so that
        // how many there are is known from the oldest and the newest.
        """
        CREATE TABLE events (
            milliseconds INTEGER NOT NULL, sequence INTEGER NOT NULL, number INTEGER NOT NULL,
            json TEXT NOT NULL, PRIMARY KEY (milliseconds, sequence)
        ) WITHOUT ROWID;
        CREATE TABLE firing (
            fingerprint TEXT PRIMARY KEY, milliseconds INTEGER NOT NULL, sequence INTEGER NOT NULL,
            json TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE states (name TEXT PRIMARY KEY, state BLOB NOT NULL);
        CREATE TABLE stream (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            earliest_milliseconds INTEGER NOT NULL, earliest_sequence INTEGER NOT NULL
        )
        """
    ]

    static let oldest = "SELECT number FROM events ORDER BY milliseconds, sequence LIMIT 1"

    static let newest = """
        SELECT milliseconds, sequence, number FROM events ORDER BY milliseconds DESC, sequence DESC LIMIT 1
        """

    static let after = """
        SELECT milliseconds, sequence, json FROM events WHERE (milliseconds, sequence) > (?1, ?2)
        ORDER BY milliseconds, sequence LIMIT ?3
        """

    static let before = """
        SELECT milliseconds, sequence, json FROM events WHERE (milliseconds, sequence) < (?1, ?2)
        ORDER BY milliseconds DESC, sequence DESC LIMIT ?3
        """

    static let earliest = "SELECT earliest_milliseconds, earliest_sequence FROM stream"

    static let setEarliest = """
        INSERT OR REPLACE INTO stream (id, earliest_milliseconds, earliest_sequence) VALUES (1, ?1, ?2)
        """

    static let insert = "INSERT INTO events (milliseconds, sequence, number, json) VALUES (?1, ?2, ?3, ?4)"

    static let fire = """
        INSERT OR REPLACE INTO firing (fingerprint, milliseconds, sequence, json) VALUES (?1, ?2, ?3, ?4)
        """

    static let resolve = "DELETE FROM firing WHERE fingerprint = ?1"

    static let setState = "INSERT OR REPLACE INTO states (name, state) VALUES (?1, ?2)"

    /// The newest event to let go of: of the ?3 oldest, those numbered up to ?1 or stored before ?2.
    static let cut = """
        SELECT milliseconds, sequence FROM
            (SELECT milliseconds, sequence, number FROM events ORDER BY milliseconds, sequence LIMIT ?3)
        WHERE number <= ?1 OR milliseconds < ?2 ORDER BY milliseconds DESC, sequence DESC LIMIT 1
        """

    static let deleteUpTo = "DELETE FROM events WHERE (milliseconds, sequence) <= (?1, ?2)"

    static let firing = """
        SELECT milliseconds, sequence, json, fingerprint FROM firing ORDER BY milliseconds, sequence LIMIT ?1
        """

    static let states = "SELECT name, state FROM states"
}
