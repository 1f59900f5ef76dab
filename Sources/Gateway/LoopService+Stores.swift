import FIMLAgents
import FIMLCore
import HTTP
import Synchronization
import Transport

// How what keeps results is: the store, and the cache before it.
extension LoopService {
    /// `/health/db`: 503 where a store is set and does not answer.
    func storeHealth() -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        guard let keeper = state.results.withLock({ $0 }) else {
            writer.member("status", "disabled")
            writer.member("timestamp", state.now())
            writer.endObject()
            return .json(200, writer.bytes)
        }
        let health = keeper.health()
        writer.member("status", health.status)
        writer.member("timestamp", state.now())
        writer.member("store", keeper.store.kind)
        writer.member("place", keeper.place)
        writer.memberAnswer(health)
        writer.name("entries")
        writer.beginObject()
        for (kind, count) in health.entries { writer.member(kind, count) }
        writer.endObject()
        writer.member("pending_writes", health.pending)
        writer.member("kept", keeper.kept.load(ordering: .relaxed))
        writer.member("dropped", keeper.dropped.load(ordering: .relaxed))
        writer.endObject()
        return .json(health.status == .unhealthy ? 503 : 200, writer.bytes)
    }

    /// `/health/cache`: findings in memory, and how often the store had what memory did not. Never 503, since
    /// memory is always there.
    func cacheHealth() -> HTTPResponse {
        guard let cache = state.analysisControl.withLock({ $0 })?.cacheFigures else {
            return .problem(.unavailable, "the workers are starting; ask again in a second")
        }
        let keeper = state.results.withLock { $0 }
        let store = keeper?.health()
        var writer = JSONWriter()
        writer.beginObject()
        let watch = state.redisWatch.withLock { $0 }
        let redis = (watch ?? (keeper?.store.kind == "redis" ? keeper : nil)).map { ($0, $0.health()) }
        let isDegraded = store?.status == .unhealthy || redis?.1.status == .unhealthy
        writer.member("status", isDegraded ? "degraded" : "healthy")
        writer.member("timestamp", state.now())
        writer.name("memory")
        writer.beginObject()
        writer.member("entries", cache.entries)
        writer.member("max_entries", cache.entryLimit)
        writer.member("bytes", cache.bytes)
        writer.member("max_bytes", cache.byteLimit)
        writer.memberHits(cache.hits, misses: cache.misses)
        writer.endObject()
        writer.name("store")
        if let keeper, let store {
            writer.beginObject()
            writer.member("kind", keeper.store.kind)
            writer.member("status", store.status)
            writer.member("error", orNull: store.reason)
            writer.memberHits(
                keeper.hits.load(ordering: .relaxed), misses: keeper.misses.load(ordering: .relaxed))
            writer.endObject()
        } else {
            writer.null()
        }
        writer.name("redis")
        if let (watch, health) = redis {
            writer.beginObject()
            writer.member("status", health.status)
            writer.member("place", watch.place)
            writer.memberAnswer(health)
            writer.endObject()
        } else {
            writer.null()
        }
        writer.endObject()
        return .json(200, writer.bytes)
    }
}

extension JSONWriter {
    /// What it last said, when, and what is wrong.
    fileprivate mutating func memberAnswer(_ health: StoreHealth) {
        member("version", orNull: health.version)
        member("latency_ms", orNull: health.latencyMilliseconds)
        member("checked_at", orNull: health.checkedAt)
        member("error", orNull: health.reason)
        member("since", orNull: health.since)
    }

    fileprivate mutating func memberHits(_ hits: Int, misses: Int) {
        member("hits", hits)
        member("misses", misses)
        member("hit_ratio", orNull: hits + misses == 0 ? nil : Double(hits) / Double(hits + misses))
    }
}
