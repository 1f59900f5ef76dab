import EventStore
import FIMLCore

/// What this process has appended, or may have, without that the caller learned of it: an answer that was
/// lost, and the parts of an append before one that failed.
///
/// A caller that tries again would have the same events twice; until a minute after the last failure they are
/// recognised.
struct UnansweredAppends: Sendable {
    /// An append whose answer was lost: whether it was done is still to be asked.
    struct Lost: Sendable {
        let number: Int
        let submissions: [Submission]
    }

    /// For how long an event is taken for the same one.
    private static let memoryMilliseconds: UInt64 = 60_000

    /// Submissions that are remembered.
    private static let memoryLimit = 20_000

    private(set) var lost: Lost?
    private var stored: [(submission: Submission, answer: Appended)] = []
    private var since: UInt64 = 0

    /// Forgets what is too old. `now` in milliseconds that only grow.
    mutating func forget(now: UInt64) {
        guard now - min(since, now) > Self.memoryMilliseconds else { return }
        lost = nil
        stored = []
    }

    /// An append has failed: these of its submissions were stored, and those of `lost` perhaps.
    mutating func note(stored: [(submission: Submission, answer: Appended)], lost: Lost?, now: UInt64) {
        self.stored += stored.filter { !$0.submission.events.isEmpty }
        self.stored.removeFirst(max(self.stored.count - Self.memoryLimit, 0))
        self.lost = lost
        since = now
    }

    /// The server could not be asked yet.
    mutating func keep(now: UInt64) {
        since = now
    }

    /// What became of the append whose answer was lost; nil where it was not done.
    mutating func resolve(_ answers: [Appended]?) {
        guard let lost else { return }
        self.lost = nil
        guard let answers, answers.count == lost.submissions.count else { return }
        stored += zip(lost.submissions, answers).filter { !$0.0.events.isEmpty }.map { ($0, $1) }
    }

    /// Where the events of a submission stand already, once; nil where they are new.
    mutating func take(_ submission: Submission) -> Appended? {
        guard !stored.isEmpty, !submission.events.isEmpty,
            let index = stored.firstIndex(where: { $0.submission.events == submission.events })
        else { return nil }
        return stored.remove(at: index).answer
    }
}
