import FIMLCore

/// Whether a language model is asked at all. After five failures in a row it is left alone for a minute; then
/// one question tries whether it is back. Where it said when to come again, it is left alone until then.
///
/// ```
/// closed ── 5 failures in a row ──► open ── 60 s ──► trying ── answer ──► closed
///                                    ▲                  └──── failure ──────┐
///                                    └──────────────────────────────────────┘
/// ```
struct ModelCircuit {
    enum State: Hashable {
        /// Asked; so many failures in a row.
        case closed(failures: Int)
        /// Not asked before then.
        case open(until: Timestamp)
        /// One question is on its way, on which it depends.
        case trying
    }

    /// What came of a question.
    enum Outcome: Hashable {
        /// The service answered, if only that it would not say.
        case answered
        case failed
        /// It asked to be left alone until then.
        case limited(until: Timestamp)
        /// Nothing can be said: who asked has gone, or it was not sent.
        case unknown
    }

    static let failuresToOpen = 5
    static let openSeconds: Int64 = 60

    private(set) var state = State.closed(failures: 0)

    /// Whether a question may be asked now. Where it may, `ended` must follow with what is given here:
    /// whether it is the one that tries.
    mutating func begin(at now: Timestamp) -> (mayAsk: Bool, isTrial: Bool) {
        switch state {
        case .closed: return (true, false)
        case .open(let until):
            guard until <= now else { return (false, false) }
            state = .trying
            return (true, true)
        case .trying: return (false, false)
        }
    }

    /// Says what came of a question. Once it is not closed, only the trial matters, and a later moment to
    /// come again.
    mutating func ended(_ outcome: Outcome, isTrial: Bool, at now: Timestamp) {
        switch (state, outcome) {
        case (.trying, _) where !isTrial: break
        case (.trying, .unknown): state = .open(until: now)
        case (.closed, .unknown): break
        case (.open(let until), .limited(let later)): state = .open(until: max(until, later))
        case (.open, _): break
        case (.closed, .answered), (.trying, .answered): state = .closed(failures: 0)
        case (.closed, .limited(let until)), (.trying, .limited(let until)): state = .open(until: until)
        case (.closed(let failures), .failed) where failures + 1 < Self.failuresToOpen:
            state = .closed(failures: failures + 1)
        case (.closed, .failed), (.trying, .failed):
            state = .open(until: now.adding(seconds: Self.openSeconds))
        }
    }
}
