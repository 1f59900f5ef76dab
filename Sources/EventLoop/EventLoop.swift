import LinuxSystem

/// What an `EventLoop` tells its owner. All calls come on the loop's thread.
public protocol EventLoopHandler<Message>: AnyObject {
    /// What other threads may send.
    associatedtype Message: Sendable

    /// A watched descriptor is ready.
    func ready(_ token: UInt64, _ readiness: Readiness)
    /// A deadline has passed.
    func deadlinePassed(_ token: UInt64)
    /// Messages came, in order. Called once a turn, after readiness and deadlines, also with none.
    func turnEnded(_ messages: [Message])
    /// Whether work is left that must not wait for the next readiness.
    var hasWork: Bool { get }
}

/// One thread's epoll loop. A turn: wait, readiness, deadlines, messages; then the next.
///
/// Everything here belongs to the thread that calls `run`, but for the mailbox.
public final class EventLoop<Message: Sendable> {
    /// At most so many descriptors a turn, so that messages and deadlines never wait long behind readiness.
    private static var turnCapacity: Int { 512 }
    private static var mailboxToken: UInt64 { .max }

    /// For other threads.
    public let mailbox: Mailbox<Message>
    /// Milliseconds of the monotonic clock at the beginning of this turn.
    public private(set) var now: UInt64
    private var epoll: Epoll
    private var wheel: TimerWheel
    private var expired: [UInt64] = []
    private var isRunning = true

    /// A loop that watches nothing but its mailbox.
    public init(mailbox: Mailbox<Message>) throws(SystemCallError) {
        self.mailbox = mailbox
        now = monotonicMilliseconds()
        epoll = try Epoll(capacity: Self.turnCapacity)
        wheel = TimerWheel(now: now)
        try epoll.add(mailbox.raw, .readable, token: Self.mailboxToken)
    }

    /// Watches a descriptor, level-triggered. `UInt64.max` is no token.
    public func watch(_ raw: Int32, _ interest: Readiness, token: UInt64) throws(SystemCallError) {
        try epoll.add(raw, interest, token: token)
    }

    /// Watches a descriptor for something else.
    public func rewatch(_ raw: Int32, _ interest: Readiness, token: UInt64) throws(SystemCallError) {
        try epoll.modify(raw, interest, token: token)
    }

    /// Watches a descriptor no longer. Closing it does the same.
    public func unwatch(_ raw: Int32) throws(SystemCallError) {
        try epoll.remove(raw)
    }

    /// Asks for `deadlinePassed` at that time of `now`, within the wheel's resolution; see `TimerWheel.add`.
    public func schedule(_ token: UInt64, at deadline: UInt64) {
        wheel.add(token, at: deadline)
    }

    /// Ends `run` after this turn.
    public func stop() {
        isRunning = false
    }

    /// Turns until `stop`.
    public func run(_ handler: some EventLoopHandler<Message>) throws(SystemCallError) {
        while isRunning {
            let count = try epoll.wait(milliseconds: timeLimit(handler.hasWork))
            now = monotonicMilliseconds()
            for index in 0..<count {
                let (token, readiness) = epoll.ready(index)
                if token == Self.mailboxToken {
                    mailbox.clear()
                } else {
                    handler.ready(token, readiness)
                }
            }
            wheel.advance(to: now, into: &expired)
            for token in expired { handler.deadlinePassed(token) }
            expired.removeAll(keepingCapacity: true)
            handler.turnEnded(mailbox.take())
        }
    }

    private func timeLimit(_ hasWork: Bool) -> Int32 {
        if hasWork || !mailbox.mayOwnerSleep() { return 0 }
        guard let wait = wheel.wait(from: monotonicMilliseconds()) else { return -1 }
        return Int32(clamping: wait)
    }
}
