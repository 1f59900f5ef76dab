import CLinux
import Glibc

/// Signals that arrive as something to read (signalfd(2)), so that they are handled by the loop like all
/// else.
public struct SignalFD: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Blocks signals for the calling thread and all that it starts, so that only a descriptor gets them.
    /// Call it before any other thread exists.
    public static func block(_ signals: [Int32]) throws(SystemCallError) {
        var set = Self.set(signals)
        let code = pthread_sigmask(SIG_BLOCK, &set, nil)
        guard code == 0 else { throw SystemCallError("pthread_sigmask", code: code) }
    }

    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in signals { sigaddset(&set, signal) }
        return set
    }

    /// A descriptor for signals that are blocked.
    public init(_ signals: [Int32]) throws(SystemCallError) {
        var set = Self.set(signals)
        let flags = Int32(SFD_NONBLOCK | SFD_CLOEXEC)
        descriptor = FileDescriptor(owning: try check("signalfd") { signalfd(-1, &set, flags) })
    }

    /// To be watched for reading.
    public var raw: Int32 { descriptor.raw }

    /// The number of the next signal that came, if one did.
    public func next() -> Int32? {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        let count = retryingOnInterrupt { Glibc.read(descriptor.raw, &info, size) }
        return count == size ? Int32(info.ssi_signo) : nil
    }
}
