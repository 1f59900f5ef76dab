import CLinux
import Glibc

/// What a descriptor is watched for, or ready for (epoll_ctl(2)).
public struct Readiness: OptionSet, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32

    /// The kernel's bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Bytes, a connection, or the end of the stream to read.
    public static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    /// Room to write.
    public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer will send no more.
    public static let peerClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// An error is pending; always reported.
    public static let failed = Readiness(rawValue: EPOLLERR.rawValue)
    /// Both directions are closed; always reported.
    public static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
}

/// One epoll instance, level-triggered. A token of the owner's choice stands for each descriptor.
public struct Epoll: ~Copyable {
    private let descriptor: FileDescriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// An empty instance that reports at most `capacity` descriptors a turn.
    public init(capacity: Int) throws(SystemCallError) {
        descriptor = FileDescriptor(
            owning: try check("epoll_create1") { epoll_create1(Int32(EPOLL_CLOEXEC)) })
        events = .allocate(capacity: capacity)
    }

    deinit {
        events.deallocate()
    }

    /// Watches a descriptor. It must be removed, or closed, before its token is given to another.
    public func add(_ raw: Int32, _ interest: Readiness, token: UInt64) throws(SystemCallError) {
        try control(EPOLL_CTL_ADD, raw, interest, token)
    }

    /// Watches a descriptor for something else.
    public func modify(_ raw: Int32, _ interest: Readiness, token: UInt64) throws(SystemCallError) {
        try control(EPOLL_CTL_MOD, raw, interest, token)
    }

    /// Watches a descriptor no longer.
    public func remove(_ raw: Int32) throws(SystemCallError) {
        try control(EPOLL_CTL_DEL, raw, [], 0)
    }

    private func control(
        _ operation: Int32, _ raw: Int32, _ interest: Readiness, _ token: UInt64
    ) throws(SystemCallError) {
        var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token))
        _ = try check("epoll_ctl") { epoll_ctl(descriptor.raw, operation, raw, &event) }
    }

    /// Waits until something is ready, at most so many milliseconds (-1: for ever); how many are.
    public func wait(milliseconds: Int32) throws(SystemCallError) -> Int {
        let count = epoll_wait(descriptor.raw, events.baseAddress, Int32(events.count), milliseconds)
        if count >= 0 { return Int(count) }
        // A signal ended the wait: the turn is empty and the caller comes back with a fresh time limit.
        if errno == EINTR { return 0 }
        throw SystemCallError("epoll_wait")
    }

    /// The token and readiness of the `index`th that the last `wait` reported.
    public func ready(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        let event = events[index]
        return (event.data.u64, Readiness(rawValue: event.events))
    }
}
