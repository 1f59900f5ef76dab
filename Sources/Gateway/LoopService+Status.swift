import EventStore
import FIMLCore
import HTTP
import LinuxSystem
import Observability
import Transport

// How the gateway is.
extension LoopService {
    /// `healthy`; `degraded` where a watchdog is not well, a worker does not work, or the event store takes
    /// nothing; `unhealthy` where no watchdog is well, though some should be, or where nothing can be
    /// published at all: then the stream is Redis's, and that is away.
    private enum Health: String, JSONWritable {
        case healthy, degraded, unhealthy

        init(_ watchdogs: WatchdogCounts, _ workers: WorkerCounts, _ store: EventJournal.Status) {
            let enabled = watchdogs.total - watchdogs.disabled
            if store.isTroubled, store.isShared {
                self = .unhealthy
            } else if watchdogs.healthy == enabled {
                self = workers.unhealthy == 0 && !store.isTroubled ? .healthy : .degraded
            } else {
                self = watchdogs.healthy + watchdogs.degraded > 0 ? .degraded : .unhealthy
            }
        }
    }

    func health() -> HTTPResponse {
        let watchdogs = state.watchdogCounts()
        let workers = state.workerHealth.withLock { $0?.counts } ?? WorkerCounts()
        let store = state.publisher.journal.currentStatus()
        let health = Health(watchdogs, workers, store)
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", health)
        writer.member("timestamp", state.now())
        writer.member("version", Gateway.version)
        writer.member("uptime_seconds", (monotonicMilliseconds() - state.startedAt) / 1000)
        writer.member("watchdogs", watchdogs)
        writer.member("workers", workers)
        writer.member("event_store", store)
        if let cluster = state.cluster {
            writer.member("cluster", ClusterRecord.health(cluster.view(), nodeID: cluster.nodeID))
        }
        writer.member("connections", state.statistics.webSockets.load(ordering: .relaxed))
        writer.member("position", state.publisher.range.last)
        writer.endObject()
        return .json(health == .unhealthy ? 503 : 200, writer.bytes)
    }

    func watchdogHealth() -> HTTPResponse {
        guard let summary = state.watchdogHealth.withLock({ $0 }) else {
            return .problem(.unavailable, "the watchdogs are starting; ask again in a second")
        }
        return .json(200, summary.json.json)
    }

    func providerHealth() -> HTTPResponse {
        .json(200, state.providerHealth.withLock { $0 }.json)
    }

    /// Depends on nothing but this loop's turning.
    func liveness() -> HTTPResponse {
        probe(200, "alive")
    }

    func readiness() -> HTTPResponse {
        state.isDraining.load(ordering: .relaxed) ? probe(503, "draining") : probe(200, "ready")
    }

    private func probe(_ status: Int, _ word: String) -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", word)
        writer.endObject()
        return .json(status, writer.bytes)
    }

    func connectionFigures() -> HTTPResponse {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("connections", state.statistics.connections.load(ordering: .relaxed))
        writer.member("websockets", state.statistics.webSockets.load(ordering: .relaxed))
        writer.member(
            "subscriptions", state.loops.reduce(0) { $0 + $1.subscriptions.load(ordering: .relaxed) })
        writer.member(
            "distinct_filters", state.loops.reduce(0) { $0 + $1.distinctFilters.load(ordering: .relaxed) })
        writer.name("loops")
        writer.beginArray()
        for (index, loop) in state.loops.enumerated() {
            writer.beginObject()
            writer.member("loop", index)
            writer.member("connections", loop.connections.load(ordering: .relaxed))
            writer.member("subscriptions", loop.subscriptions.load(ordering: .relaxed))
            writer.member("distinct_filters", loop.distinctFilters.load(ordering: .relaxed))
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return .json(200, writer.bytes)
    }

    func metrics(_ request: HTTPRequest) -> HTTPResponse {
        let format = ExpositionFormat(accept: request.fields["Accept"])
        return .text(state.metrics.registry.render(format), type: format.contentType)
    }

    func schema(_ path: String) -> HTTPResponse {
        guard let bytes = state.schemas[path] else {
            return .problem(
                404, "NOT_FOUND", "there is no schema '\(path)'; /asyncapi.json and /openapi.json name all")
        }
        // The media type of JSON Schema (draft-bhutton-json-schema-01, section 15).
        let type = path.hasPrefix("schemas/") ? "application/schema+json" : "application/json"
        return HTTPResponse(status: 200, fields: ["Content-Type": type], body: bytes)
    }
}
