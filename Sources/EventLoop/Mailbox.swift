import LinuxSystem
import Locking

/// The one way from other threads to a loop: a locked array, and an eventfd that is written only when the
/// loop sleeps.
public final class Mailbox<Message: Sendable>: Sendable {
    private struct State {
        var messages: [Message] = []
        var ownerSleeps = false
    }

    private let state = Locked(State())
    private let wake: EventFD

    /// An empty mailbox.
    public init() throws(SystemCallError) {
        wake = try EventFD()
    }

    /// To be watched for reading by the owner.
    var raw: Int32 { wake.raw }

    /// Messages that wait. Who posts in large numbers looks here first: the bound is the poster's, since only
    /// it can say no to its own caller.
    public var count: Int { state.withLock { $0.messages.count } }

    /// Adds a message, after all that were added before.
    public func post(_ message: Message) {
        post(contentsOf: CollectionOfOne(message))
    }

    /// Adds messages, in their order and with none between; the owner takes all of them at once.
    public func post(contentsOf messages: some Collection<Message> & Sendable) {
        let ownerSleeps = state.withLock { state in
            state.messages.append(contentsOf: messages)
            guard !messages.isEmpty else { return false }
            defer { state.ownerSleeps = false }
            return state.ownerSleeps
        }
        if ownerSleeps { wake.signal() }
    }

    /// Takes all messages, in the order in which they were posted.
    func take() -> [Message] {
        state.withLock { state in
            state.ownerSleeps = false
            guard !state.messages.isEmpty else { return [] }
            var messages: [Message] = []
            swap(&messages, &state.messages)
            return messages
        }
    }

    /// Whether the owner may sleep: true where nothing waits, and from then on a message wakes it.
    func mayOwnerSleep() -> Bool {
        state.withLock { state in
            state.ownerSleeps = state.messages.isEmpty
            return state.ownerSleeps
        }
    }

    /// Makes the eventfd quiet after it has woken the owner.
    func clear() {
        wake.clear()
    }
}
