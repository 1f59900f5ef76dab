import EventStore
import FIMLCore

/// What a batch of events changes among the conditions that fire: of each condition only what holds after
/// the last of them.
struct Conditions {
    enum Change {
        case fires(StoredEvent)
        case resolved
    }

    /// By fingerprint.
    private(set) var changes: [String: Change] = [:]
    /// Conditions that fire.
    private var count: Int

    /// Before the first event, where so many conditions fire.
    init(firing count: Int) {
        self.count = count
    }

    /// Takes an event in. `wasFiring`: whether a condition fired before the batch.
    mutating func note(
        _ event: WatchdogEvent, at position: StreamPosition, json: [UInt8], wasFiring: (String) -> Bool
    ) {
        let isFiring =
            switch changes[event.fingerprint] {
            case .fires: true
            case .resolved: false
            case nil: wasFiring(event.fingerprint)
            }
        switch event.status {
        case .firing, .updated:
            guard isFiring || count < StoreContents.firingLimit else { return }
            if !isFiring { count += 1 }
            changes[event.fingerprint] = .fires(StoredEvent(position: position, json: json))
        case .resolved:
            guard isFiring else { return }
            count -= 1
            changes[event.fingerprint] = .resolved
        }
    }
}
