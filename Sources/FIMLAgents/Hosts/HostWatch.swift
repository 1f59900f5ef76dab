import LinuxSystem

/// What the supervisor's thread waits for: its inbox, and of each host that runs the connection and the end.
final class HostWatch {
    /// What is ready.
    enum Event {
        case inbox
        case connection(host: UInt64, Readiness)
        case child(host: UInt64)
    }

    private static let capacity = 64

    /// Where control groups with limits can be made.
    let group: ControlGroup?
    private let epoll: Epoll

    init(_ inbox: HostInbox, in group: ControlGroup?) throws(SystemCallError) {
        self.group = group
        epoll = try Epoll(capacity: Self.capacity)
        try epoll.add(inbox.descriptor, .readable, token: 0)
    }

    /// Watches a host's two descriptors, until they are closed.
    func add(host: UInt64, child: Int32, connection: Int32) throws(SystemCallError) {
        try epoll.add(child, .readable, token: host << 1 | 1)
        try epoll.add(connection, .readable, token: host << 1)
    }

    /// Watches a host's connection also for room to write, or no longer so.
    func host(_ host: UInt64, _ connection: Int32, wantsToWrite: Bool) throws(SystemCallError) {
        try epoll.modify(
            connection, wantsToWrite ? [.readable, .writable] : .readable, token: host << 1)
    }

    /// Waits until something is ready, or so many milliseconds.
    func wait(milliseconds: Int32) throws(SystemCallError) -> [Event] {
        (0..<(try epoll.wait(milliseconds: milliseconds))).map { index in
            let (token, readiness) = epoll.ready(index)
            if token == 0 { return .inbox }
            return token & 1 == 1 ? .child(host: token >> 1) : .connection(host: token >> 1, readiness)
        }
    }
}
