import FIMLCore

/// What a watchdog has to tell, and what it must know to go on from there.
///
/// Whoever keeps both in one transaction, the state under `stateName`, makes sure that no end of the process
/// has an event told twice or left out: a watchdog that is taken up with the state knows exactly what was
/// told. Figures that changed without an event (a condition lasts, and has newer ones) come along with the
/// next news or at an orderly stop; after a crash a condition goes on with the figures that were told last.
public struct WatchdogNews: Sendable {
    /// Whose news they are.
    public let watchdog: WatchdogName
    /// In the order in which they happened, at most `maxEvents`; none where only the state is new.
    public let events: [WatchdogEvent]
    /// What fires of the watchdog after these events, its own alarm included: JSON of at most some MB. It
    /// replaces what was kept before.
    public let state: [UInt8]
    /// The token with which the watchdog was taken: under that lease, and no later one, the news were
    /// computed.
    public let token: Int64

    /// More events become several pieces of news, each with the state that belongs to it.
    public static let maxEvents = 256

    /// The name under which the state of a watchdog is kept: `conditions:price_anomaly`.
    public static func stateName(of watchdog: WatchdogName) -> String {
        "conditions:" + watchdog.rawValue
    }
}

/// What became of news.
public enum NewsOutcome: Hashable, Sendable {
    /// They are kept and will be told; the watchdog goes on.
    case taken
    /// They were not kept and must not be: somebody else runs the watchdog by now, or nobody may. It forgets
    /// what it has computed and stands by until it is taken again.
    case standDown
}

/// News that wait for their turn.
struct PendingNews: Sendable {
    let events: [WatchdogEvent]
    /// What fires once the events have been told.
    let conditions: [Condition]

    /// Events as pieces of a size that can be kept at once, each with what fires and has been told with it;
    /// `before` and `after` are the conditions before the first event and after the last.
    static func pieces(
        _ events: [WatchdogEvent], before: [Condition], after: [Condition]
    ) -> [PendingNews] {
        let size = WatchdogNews.maxEvents
        guard events.count > size else { return [PendingNews(events: events, conditions: after)] }
        let last = byFingerprint(after)
        var told = byFingerprint(before)
        return stride(from: 0, to: events.count, by: size).map { start in
            let piece = Array(events[start..<min(start + size, events.count)])
            for event in piece {
                told[event.fingerprint] =
                    switch event.status {
                    case .firing, .updated: last[event.fingerprint] ?? Condition(endedBefore: event)
                    case .resolved: nil
                    }
            }
            let isLast = start + size >= events.count
            return PendingNews(
                events: piece,
                conditions: isLast ? after : told.sorted { $0.key < $1.key }.map(\.value))
        }
    }

    private static func byFingerprint(_ conditions: [Condition]) -> [String: Condition] {
        Dictionary(conditions.map { ($0.event.fingerprint, $0) }) { _, later in later }
    }
}

extension Condition {
    /// One that is over in a later piece of the same news. Should the process end in between, nobody judges a
    /// subject of this name, so that it ends there too.
    fileprivate init(endedBefore event: WatchdogEvent) {
        self.init(
            event: event, subject: event.fingerprint, discriminator: "", observedAt: event.startsAt,
            toldAt: event.timestamp)
    }
}
