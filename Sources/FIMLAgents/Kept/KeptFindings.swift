import Analysis
import FIMLCore

/// Findings in a store: what the cache holds in memory, for the next process and for other gateways.
struct KeptFindings: Sendable {
    /// What counts for less than this is over before anybody could come back for it.
    private static let shortestMilliseconds: UInt64 = 30_000

    private let keeping: ResultKeeping

    init(_ keeping: ResultKeeping) {
        self.keeping = keeping
    }

    /// A finding that still counts, and for how many milliseconds. `lifetime` is how long one counts from its
    /// end on, as it is set now: where that was made shorter, it holds for what is stored, too.
    func finding(
        _ type: WorkerType, _ asset: Asset, lifetime: (WorkerResult) -> UInt64
    ) async -> (result: WorkerResult, milliseconds: UInt64)? {
        guard let kept = await keeping.stored.value(key(type, asset)),
            let value = try? JSONValue.parse(kept.value),
            // Written by another version, it is as if it were not there.
            let result = try? WorkerResult.parse(value), result.type == type, result.asset == asset
        else { return nil }
        let now = keeping.now()
        // Neither moment is later than the last that is written, so that no sum of them overflows.
        let whole = min(Int64(clamping: lifetime(result)), Timestamp.last.milliseconds)
        let end = min(kept.expiresAt, result.timestamp.milliseconds + whole)
        guard end > now, whole > 0 else { return nil }
        // A clock that was set back makes nothing count for longer than it would.
        return (result, UInt64(min(end - now, whole)))
    }

    /// Keeps a finding that counts for so many milliseconds from now on.
    func keep(_ result: WorkerResult, milliseconds: UInt64) {
        guard milliseconds >= Self.shortestMilliseconds else { return }
        let writer = KeptWorkerResult(result: result)
        keeping.stored.keep(
            StoredResult(writer.json, expiresAt: keeping.now() + Int64(clamping: milliseconds)),
            as: key(result.type, result.asset))
    }

    /// `finding:AAPL:technical:9d1c0b7e44aa2f10`: for people the symbol and the type, then what else tells it
    /// apart.
    func key(_ type: WorkerType, _ asset: Asset) -> String {
        let digest = Fingerprint.of(parts: [
            keeping.basis, type.rawValue, String(decoding: asset.json, as: UTF8.self),
        ])
        return "finding:\(asset.symbol):\(type.rawValue):\(digest)"
    }
}
