import FIMLCore

/// Whether a provider is asked at all. After five failures in a row it is left alone for a minute; then one
/// request tries whether it is back.
///
/// ```
/// closed ── 5 failures in a row ──► open ── 60 s ──► trying ── success ──► closed
///                                    ▲                  └──── failure ───────┐
///                                    └───────────────────────────────────────┘
/// ```
struct ProviderCircuit {
    enum State: Equatable {
        /// Asked; so many failures in a row.
        case closed(failures: Int)
        /// Not asked before then.
        case open(until: Timestamp)
        /// One request is on its way, on which it depends. If nothing is heard of it by then, another tries.
        case trying(until: Timestamp)
    }

    static let failuresToOpen = 5
    static let openMilliseconds: Int64 = 60_000

    private(set) var state = State.closed(failures: 0)

    /// Until when it is not to be asked; nil where it may be.
    func blocked(at now: Timestamp) -> Timestamp? {
        switch state {
        case .closed: nil
        case .open(let until), .trying(let until): until > now ? until : nil
        }
    }

    /// A request is about to be sent. Only where nothing is `blocked`.
    mutating func began(at now: Timestamp) {
        switch state {
        case .closed: break
        case .open, .trying: state = .trying(until: Self.later(now))
        }
    }

    /// The provider answered.
    mutating func succeeded() {
        state = .closed(failures: 0)
    }

    /// The provider did not answer, or with a fault of its own.
    mutating func failed(at now: Timestamp) {
        switch state {
        case .closed(let failures) where failures + 1 < Self.failuresToOpen:
            state = .closed(failures: failures + 1)
        case .closed, .trying: state = .open(until: Self.later(now))
        // One that was sent before it opened.
        case .open: break
        }
    }

    private static func later(_ now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds + openMilliseconds)
    }
}
