import Configuration
import FIMLCore
import Locking
import Synchronization

/// Results that still count, by worker type and asset, and whole answers made of them.
final class ResultCache: Sendable {
    private struct Key: Hashable {
        let asset: Asset
        let types: [WorkerType]
    }

    private struct Entry<Value> {
        let value: Value
        let expires: UInt64
        let bytes: Int
    }

    /// A table of bounded size; when it is full, what has expired goes, and where that is not enough, all.
    private struct Table<Value> {
        private var entries: [Key: Entry<Value>] = [:]
        private(set) var bytes = 0

        var count: Int { entries.count }

        func value(_ key: Key, at now: UInt64) -> Entry<Value>? {
            entries[key].flatMap { $0.expires > now ? $0 : nil }
        }

        mutating func put(_ entry: Entry<Value>, _ key: Key, at now: UInt64) {
            if entries.count >= ResultCache.entryLimit || bytes + entry.bytes > ResultCache.byteLimit {
                entries = entries.filter { $0.value.expires > now }
                bytes = entries.values.reduce(0) { $0 + $1.bytes }
                if entries.count > ResultCache.entryLimit / 2 || bytes > ResultCache.byteLimit / 2 {
                    (entries, bytes) = ([:], 0)
                }
            }
            bytes += entry.bytes - (entries[key]?.bytes ?? 0)
            entries[key] = entry
        }
    }

    private static let entryLimit = 10_000
    private static let byteLimit = 64 << 20
    /// A finding with its figures, roughly.
    private static let resultBytes = 4_096
    /// An asset without figures may have some soon: asked again after so long at the latest.
    private static let insufficientMilliseconds: UInt64 = 10_000
    /// What a source that failed may give soon makes a finding that is worth more.
    private static let partialMilliseconds: UInt64 = 60_000

    private let settings: Settings.Analysis
    private let now: @Sendable () -> UInt64
    private let results = Locked(Table<WorkerResult>())
    private let answers = Locked(Table<[UInt8]>())
    private let hits = Atomic<Int>(0)
    private let misses = Atomic<Int>(0)

    init(_ settings: Settings.Analysis, now: @escaping @Sendable () -> UInt64) {
        self.settings = settings
        self.now = now
    }

    /// For how long a result of a type counts, in milliseconds.
    func lifetime(_ result: WorkerResult) -> UInt64 {
        let ttl =
            switch result.type {
            case .fundamentals: settings.fundamentalsTTL
            case .technical, .risk, .correlation: settings.technicalTTL
            case .macro: settings.macroTTL
            case .sentiment, .news: settings.newsTTL
            case .options: settings.priceTTL
            }
        let milliseconds = UInt64(clamping: ttl.components.seconds) * 1000
        return switch result.status {
        case .completed: result.isPartial ? min(milliseconds, Self.partialMilliseconds) : milliseconds
        case .insufficientData: min(milliseconds, Self.insufficientMilliseconds)
        case .failed, .timedOut, .unavailable, .cancelled: 0
        }
    }

    /// A result that still counts.
    func result(_ type: WorkerType, _ asset: Asset) -> WorkerResult? {
        let result = results.withLock { $0.value(Key(asset: asset, types: [type]), at: now())?.value }
        if result == nil {
            misses.add(1, ordering: .relaxed)
        } else {
            hits.add(1, ordering: .relaxed)
        }
        return result
    }

    /// Keeps a result for as long as it counts.
    func keep(_ result: WorkerResult) {
        keep(result, milliseconds: lifetime(result))
    }

    /// Keeps a result that counts for so many milliseconds more.
    func keep(_ result: WorkerResult, milliseconds: UInt64) {
        let now = now()
        guard milliseconds > 0 else { return }
        results.withLock {
            $0.put(
                Entry(value: result, expires: now + milliseconds, bytes: Self.resultBytes),
                Key(asset: result.asset, types: [result.type]), at: now)
        }
    }

    /// The whole answer, where all that it is made of still counts.
    func answer(_ asset: Asset, _ types: [WorkerType]) -> [UInt8]? {
        let answer = answers.withLock { $0.value(Key(asset: asset, types: types), at: now())?.value }
        // Where there is none, each of its findings is looked for.
        if answer != nil { hits.add(types.count, ordering: .relaxed) }
        return answer
    }

    /// How full it is, and how often it was of use.
    func figures() -> CacheFigures {
        let results = results.withLock { ($0.count, $0.bytes) }
        let answers = answers.withLock { ($0.count, $0.bytes) }
        return CacheFigures(
            entries: results.0 + answers.0, entryLimit: 2 * Self.entryLimit, bytes: results.1 + answers.1,
            byteLimit: 2 * Self.byteLimit, hits: hits.load(ordering: .relaxed),
            misses: misses.load(ordering: .relaxed))
    }

    /// Keeps a whole answer until the first of its results no longer counts.
    func keep(_ analysis: AssetAnalysis, _ types: [WorkerType]) {
        let now = now()
        // One that did not come may have come to someone else since: that it is kept says nothing of this.
        guard analysis.results.allSatisfy({ lifetime($0) > 0 }) else { return }
        let expires = results.withLock { results in
            analysis.results.map { result in
                results.value(Key(asset: analysis.asset, types: [result.type]), at: now)?.expires ?? 0
            }.min() ?? 0
        }
        guard expires > now else { return }
        let bytes = analysis.json
        answers.withLock {
            $0.put(
                Entry(value: bytes, expires: expires, bytes: bytes.count),
                Key(asset: analysis.asset, types: types), at: now)
        }
    }
}
