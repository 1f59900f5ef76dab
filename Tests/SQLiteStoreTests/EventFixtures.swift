import EventStore
import FIMLCore

/// An event that says little.
func event(
    _ status: EventStatus = .firing, fingerprint: String = "0123456789abcdef", id: String = "evt_1",
    description: String = ""
) -> WatchdogEvent {
    let time = Timestamp(milliseconds: 0)
    return WatchdogEvent(
        eventID: id, type: .priceAnomaly, severity: .high, status: status, fingerprint: fingerprint,
        watchdog: .priceAnomaly, asset: nil, assets: [], description: description, timestamp: time,
        startsAt: time)
}

func position(_ text: String) -> StreamPosition {
    StreamPosition(text) ?? .zero
}

extension EventStore {
    /// Appends events as one submission; their positions.
    func append(_ events: [WatchdogEvent], now: Int64) throws(StoreError) -> [StreamPosition] {
        switch try append([Submission(events: events)], now: now).first {
        case .stored(let positions): positions
        case .fenced, nil: []
        }
    }

    /// All events that are stored.
    func everything() throws(StoreError) -> [StoredEvent] {
        try read(after: .zero, limit: Int.max).events
    }
}

extension StoreError {
    var isUnusable: Bool {
        switch self {
        case .unusable: true
        case .unavailable: false
        }
    }
}
