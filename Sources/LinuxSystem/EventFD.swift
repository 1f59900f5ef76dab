import CLinux
import Glibc

/// Wakes a thread that waits in epoll (eventfd(2)).
public struct EventFD: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// A quiet one.
    public init() throws(SystemCallError) {
        let flags = Int32(EFD_NONBLOCK | EFD_CLOEXEC)
        descriptor = FileDescriptor(owning: try check("eventfd") { eventfd(0, flags) })
    }

    /// To be watched for reading.
    public var raw: Int32 { descriptor.raw }

    /// Makes it readable. A full counter is readable already, so that refusal needs no answer.
    public func signal() {
        var one: UInt64 = 1
        _ = retryingOnInterrupt { Glibc.write(descriptor.raw, &one, 8) }
    }

    /// Makes it quiet again.
    public func clear() {
        var count: UInt64 = 0
        _ = retryingOnInterrupt { Glibc.read(descriptor.raw, &count, 8) }
    }
}
