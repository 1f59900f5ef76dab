import Configuration
import EventStore
import FIMLCore
import Observability
import RedisStore
import SQLiteStore

/// Which store keeps the event stream.
enum EventStores {
    /// Redis where there is one, else a file in the data directory, else memory. Throws one line where the
    /// directory cannot be made.
    static func make(_ settings: Settings, _ redis: RedisClient?, _ log: Log) throws -> any EventStore {
        if let redis {
            return RedisEventStore(redis) { position, problem in
                log.warning(
                    "an entry of the event stream is no event and is left out: \(problem)",
                    ["position": .text("\(position)")])
            }
        }
        guard settings.watchdogs.persistsState else {
            return MemoryEventStore(capacity: EventJournal.Limits(settings).kept)
        }
        return SQLiteEventStore(directory: try settings.makeDataDirectory())
    }
}

extension RedisClient {
    /// The Redis of the settings; nil where there is none.
    convenience init?(_ settings: Settings.Redis) {
        guard let host = settings.host else { return nil }
        self.init(
            RedisAddress(
                host: host, port: settings.port, database: settings.database, password: settings.password,
                timeoutSeconds: settings.socketTimeout / .seconds(1)))
    }
}

extension EventJournal.Status: JSONWritable {
    /// Whether what is published cannot be stored, or what others publish cannot be seen.
    var isTroubled: Bool { trouble != nil || followTrouble != nil }

    /// Writes the `event_store` of `/health`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("kind", kind)
        writer.member("status", isTroubled ? "unhealthy" : "healthy")
        writer.member("reason", orNull: trouble ?? followTrouble)
        writer.member("since", orNull: troubleSince.map { Timestamp(milliseconds: $0) })
        writer.member("events", count)
        writer.member("waiting_events", waiting)
        writer.member("unstored_events", unstored)
        writer.endObject()
    }
}

extension GatewayState {
    /// Lets the metrics of the event store be read when they are asked for.
    func registerStoreFigures() {
        let registry = metrics.registry
        let journal = publisher.journal
        registry.gauge("event_store_up", "1 where the event store takes events, else 0.") {
            journal.currentStatus().isTroubled ? 0 : 1
        }
        registry.gauge("event_store_events", "Events that are stored.") {
            Double(journal.currentStatus().count)
        }
        registry.gauge("event_store_waiting_events", "Events that wait to be stored.") {
            Double(journal.currentStatus().waiting)
        }
        registry.gauge(
            "event_store_unstored_events", "Events that were sent to clients and are not stored yet."
        ) { Double(journal.currentStatus().unstored) }
        registry.counter(
            "event_store_unreadable_total",
            "Entries of a shared stream that are no events, and were left out."
        ) { Double(journal.currentStatus().unreadable) }
        registry.counter("event_store_pages_read_total", "Pages of events read back from the store.") {
            Double(journal.pagesRead)
        }
    }
}
