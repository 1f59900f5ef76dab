import CLinux
import Glibc

/// Two connected stream sockets (socketpair(2)), neither of which a program that is started inherits by
/// itself.
public struct SocketPair: ~Copyable {
    /// One end.
    public let first: FileDescriptor
    /// The other.
    public let second: FileDescriptor

    /// A new pair. Both ends block; `FileDescriptor.read` and `sendNow` do not.
    public init() throws(SystemCallError) {
        var ends: (Int32, Int32) = (-1, -1)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        _ = try withUnsafeMutableBytes(of: &ends) { bytes throws(SystemCallError) in
            try check("socketpair") {
                socketpair(AF_UNIX, kind, 0, bytes.assumingMemoryBound(to: Int32.self).baseAddress)
            }
        }
        first = FileDescriptor(owning: ends.0)
        second = FileDescriptor(owning: ends.1)
    }

    /// The first end; the other is closed.
    public consuming func keepFirst() -> FileDescriptor {
        first
    }
}
