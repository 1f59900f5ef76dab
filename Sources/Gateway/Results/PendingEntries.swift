import EventStore

/// What waits to be written into a store: the newest value of each key, oldest first, bounded.
///
/// Where there is no more room findings go first: they can be computed again, and what was promised to be
/// kept (a task's end, a session) cannot.
struct PendingEntries {
    /// Bounds of what waits.
    struct Limits: Sendable {
        /// Some seconds of as many findings as eight workers make on a busy machine.
        var entries = 20_000
        /// Keys and values together.
        var bytes = 32 << 20
        /// One that is larger is not taken: it would hold up the others.
        var entryBytes = 4 << 20
    }

    private let limits: Limits
    private var entries: [String: KeptEntry] = [:]
    /// The keys of `entries`, each once: those of findings, and all others.
    private var findings = KeyLine()
    private var others = KeyLine()
    /// Being written.
    private var underWay: [String: KeptEntry] = [:]
    /// Of `entries`, keys and values together.
    private(set) var bytes = 0

    init(_ limits: Limits = Limits()) {
        self.limits = limits
    }

    /// How many wait, those that are being written included.
    var count: Int { entries.count + underWay.count }

    /// Whether nothing waits to be taken.
    var isEmpty: Bool { entries.isEmpty }

    /// Whether there is anything but findings, which have time.
    var isUrgent: Bool { !others.isEmpty }

    /// The value of a key as it will be.
    func entry(_ key: String) -> KeptEntry? { entries[key] ?? underWay[key] }

    /// Takes an entry, in the place of what has its key; how many had to go, itself perhaps.
    mutating func put(_ entry: KeptEntry) -> Int {
        guard entry.size <= limits.entryBytes else { return 1 }
        if let before = entries.updateValue(entry, forKey: entry.key) {
            bytes -= before.size
        } else if entry.isFinding {
            findings.append(entry.key)
        } else {
            others.append(entry.key)
        }
        bytes += entry.size
        var dropped = 0
        while entries.count > limits.entries || bytes > limits.bytes, removeFirst() != nil { dropped += 1 }
        return dropped
    }

    /// The next entries, to be written together: the oldest, findings last. Findings that are over at `now`
    /// are let go of.
    mutating func take(_ limit: Int, bytes byteLimit: Int, now: Int64) -> [KeptEntry] {
        var batch: [KeptEntry] = []
        var size = 0
        while batch.count < limit, size < byteLimit, let entry = removeFirst(findingsFirst: false) {
            if entry.isFinding, entry.expiresAt <= now { continue }
            size += entry.size
            batch.append(entry)
        }
        underWay = Dictionary(batch.map { ($0.key, $0) }) { first, _ in first }
        return batch
    }

    /// What was taken is written.
    mutating func written() {
        underWay = [:]
    }

    /// What was taken could not be written: it waits again, behind all others, unless a newer value of its
    /// key does; how many had to go.
    mutating func putBack() -> Int {
        let entries = underWay.values
        underWay = [:]
        return entries.reduce(0) { dropped, entry in
            self.entries[entry.key] == nil ? dropped + put(entry) : dropped
        }
    }

    private mutating func removeFirst(findingsFirst: Bool = true) -> KeptEntry? {
        let key =
            findingsFirst
            ? findings.popFirst() ?? others.popFirst() : others.popFirst() ?? findings.popFirst()
        guard let key, let entry = entries.removeValue(forKey: key) else { return nil }
        bytes -= entry.size
        return entry
    }
}

/// Keys, first come first out.
private struct KeyLine {
    private var keys: [String] = []
    private var first = 0

    var isEmpty: Bool { first == keys.count }

    mutating func append(_ key: String) {
        keys.append(key)
    }

    mutating func popFirst() -> String? {
        guard first < keys.count else { return nil }
        defer {
            first += 1
            // What has gone is cleared away once it is half of all: each key is moved once or twice.
            if first > 64, first * 2 > keys.count {
                keys.removeFirst(first)
                first = 0
            }
        }
        return keys[first]
    }
}

extension KeptEntry {
    /// Whether it can be computed again.
    var isFinding: Bool { key.hasPrefix("finding:") }

    /// What it takes up, roughly.
    fileprivate var size: Int { key.utf8.count + value.count + 64 }
}
