import CLinux
import Glibc

/// Lets one thread sleep until another has something for it (eventfd(2), blocking). What is signalled while
/// it does not sleep wakes it the next time.
public struct WakeUp: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Nothing was signalled yet.
    public init() throws(SystemCallError) {
        descriptor = FileDescriptor(owning: try check("eventfd") { eventfd(0, Int32(EFD_CLOEXEC)) })
    }

    /// Wakes the thread that sleeps, or will.
    public func signal() {
        var one: UInt64 = 1
        _ = retryingOnInterrupt { Glibc.write(descriptor.raw, &one, 8) }
    }

    /// Sleeps until something has been signalled since the last time.
    public func sleep() {
        var count: UInt64 = 0
        _ = retryingOnInterrupt { Glibc.read(descriptor.raw, &count, 8) }
    }
}
