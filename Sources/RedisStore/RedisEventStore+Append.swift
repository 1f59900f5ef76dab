import EventStore
import FIMLCore
import LinuxSystem

extension RedisEventStore {
    /// Events and bytes that one script takes at once, so that it holds nobody else up for long. A submission
    /// is never divided.
    private static let scriptEvents = 1000
    private static let scriptBytes = 4 << 20

    /// See `EventStore`; from one thread at a time. The clock is the server's.
    ///
    /// Where an earlier call failed after it was sent, submissions of the same events are, until a minute
    /// after that, answered with the positions that these have, and not stored again.
    public func append(_ submissions: [Submission], now: Int64) throws(StoreError) -> [Appended] {
        let time = monotonicMilliseconds()
        state.withLock { $0.unanswered.forget(now: time) }
        try overtakeLost(now: time)
        var answers: [Appended?] = submissions.map { submission in
            state.withLock { $0.unanswered.take(submission) }
        }
        let fresh = submissions.indices.filter { answers[$0] == nil }
        for part in Self.parts(fresh, of: submissions) {
            do {
                let stored = try append(part.map { submissions[$0] })
                for (index, answer) in zip(part, stored) { answers[index] = answer }
            } catch {
                let lost = error.lost
                state.withLock { state in
                    let stored = zip(submissions, answers).compactMap { pair in
                        pair.1.map { (submission: pair.0, answer: $0) }
                    }
                    state.unanswered.note(stored: stored, lost: lost, now: time)
                }
                throw error.cause
            }
        }
        return answers.compactMap { $0 }
    }

    private struct AppendFailure: Error {
        let cause: StoreError
        let lost: UnansweredAppends.Lost?
    }

    private func append(_ submissions: [Submission]) throws(AppendFailure) -> [Appended] {
        let number = nextNumber()
        let epoch = state.withLock { $0.epoch }
        var arguments = known()
        arguments.append(number)
        arguments.append(entryLimit)
        arguments.append(submissions.count)
        for submission in submissions { Self.write(submission, to: &arguments) }
        let reply: RedisReply
        do {
            reply = try client.run(StreamScripts.append, keys: StreamKeys.all + [ownKey], arguments)
        } catch {
            var lost: UnansweredAppends.Lost?
            if case .lost = error { lost = .init(number: number, submissions: submissions) }
            throw AppendFailure(cause: error.storeError(client.address), lost: lost)
        }
        switch reply.text {
        case "!":
            throw AppendFailure(
                cause: .unavailable(
                    "\(client.address.name) has lost events of the stream (emptied, restored, failed over): "
                        + "publishing goes on as soon as this gateway has told its clients"), lost: nil)
        case "?":
            throw AppendFailure(
                cause: .unavailable(
                    "\(client.address.name) has had a later append before this one: try again"),
                lost: nil)
        default: break
        }
        guard let answers = Self.answers(reply, of: submissions) else {
            let failure = RedisFailure.unexpected("a script of ours had another answer")
            throw AppendFailure(cause: failure.storeError(client.address), lost: nil)
        }
        for case .stored(let positions) in answers {
            if let last = positions.last { note(last, epoch: epoch) }
        }
        return answers
    }

    /// Asks what became of an append whose answer was lost, and makes sure that it does not happen later.
    private func overtakeLost(now: UInt64) throws(StoreError) {
        guard let lost = state.withLock({ $0.unanswered.lost }) else { return }
        var arguments = RedisCommand.Arguments()
        arguments.append(lost.number)
        arguments.append(nextNumber())
        let reply: RedisReply
        do {
            reply = try client.run(StreamScripts.overtake, keys: [ownKey], arguments)
        } catch {
            state.withLock { $0.unanswered.keep(now: now) }
            throw error.storeError(client.address)
        }
        let answers = Self.answers(reply, of: lost.submissions)
        state.withLock { $0.unanswered.resolve(answers) }
    }

    /// Where the script keeps the number and the answer of this process's last append, for an hour.
    private var ownKey: String { "watchdog:append:\(process)" }

    private func nextNumber() -> Int {
        state.withLock { state in
            state.appends += 1
            return state.appends
        }
    }

    /// Reads `1-0 1-1|F|`; nil where it does not fit the submissions.
    private static func answers(_ reply: RedisReply, of submissions: [Submission]) -> [Appended]? {
        guard let text = reply.text else { return nil }
        let parts = text.split(separator: "|", omittingEmptySubsequences: false)
        guard parts.count == submissions.count else { return nil }
        var answers: [Appended] = []
        for (part, submission) in zip(parts, submissions) {
            if part == "F" {
                answers.append(.fenced)
                continue
            }
            let positions = part.split(separator: " ").compactMap { StreamPosition(String($0)) }
            guard positions.count == submission.events.count else { return nil }
            answers.append(.stored(positions))
        }
        return answers
    }

    private static func write(_ submission: Submission, to arguments: inout RedisCommand.Arguments) {
        arguments.append(submission.fence?.lease ?? "")
        arguments.append(submission.fence?.token ?? 0)
        arguments.append(submission.events.count)
        for event in submission.events {
            arguments.append(event.event.type.rawValue)
            arguments.append(event.event.severity.rawValue)
            arguments.append(event.event.status.rawValue)
            arguments.append(event.event.watchdog.rawValue)
            arguments.append(event.event.assets.joined(separator: ","))
            arguments.append(event.event.fingerprint)
            arguments.append(event.json)
        }
        arguments.append(submission.states.count)
        for (name, value) in submission.states {
            arguments.append(name)
            arguments.append(value)
        }
    }

    /// Indices, divided so that each part is one script's.
    private static func parts(_ indices: [Int], of submissions: [Submission]) -> [[Int]] {
        var parts: [[Int]] = []
        var events = 0
        var bytes = 0
        for index in indices {
            let submission = submissions[index]
            // An event from outside has at most some 20 KB; most have one.
            let size = submission.states.values.reduce(submission.events.count * 1000) { $0 + $1.count }
            if parts.isEmpty || events + submission.events.count > scriptEvents || bytes + size > scriptBytes
            {
                parts.append([])
                events = 0
                bytes = 0
            }
            parts[parts.count - 1].append(index)
            events += submission.events.count
            bytes += size
        }
        return parts
    }
}
