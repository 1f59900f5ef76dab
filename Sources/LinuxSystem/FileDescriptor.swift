import Glibc

/// An open file descriptor with one owner; closed when that owner is gone.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The kernel's number for it. Valid only while the owner lives.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        self.raw = raw
    }

    /// Gives the number up without closing it.
    consuming func release() -> Int32 {
        let raw = raw
        discard self
        return raw
    }

    deinit {
        // Linux frees the number even where close() reports an error, so there is nothing to retry.
        _ = close(raw)
    }

    /// Reads what is there.
    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        Transfer(retryingOnInterrupt { recv(raw, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT)) })
    }

    /// Tells the peer that nothing more will be sent; it may still send.
    public func shutdownWriting() {
        // It fails only where the connection is lost, which the next read will tell.
        _ = shutdown(raw, Int32(SHUT_WR))
    }

    /// Lets the connection fail once the peer has not acknowledged for so many milliseconds what was sent
    /// (tcp(7), TCP_USER_TIMEOUT), which else takes a quarter of an hour: for a protocol in which the peer
    /// says nothing.
    public func limitSilence(milliseconds: UInt64) {
        var value = UInt32(clamping: milliseconds)
        // Without it the kernel's own limit holds.
        _ = setsockopt(
            raw, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &value, socklen_t(MemoryLayout<UInt32>.size))
    }
}

/// What came of moving bytes over a non-blocking socket. Only the first is progress.
public enum Transfer: Equatable, Sendable {
    /// So many bytes, at least one.
    case moved(Int)
    /// Nothing now; readiness will tell.
    case wouldBlock
    /// The peer has sent its last byte.
    case endOfStream
    /// The connection is lost, for this `errno`.
    case failed(Int32)

    init(_ result: Int) {
        if result > 0 {
            self = .moved(result)
        } else if result == 0 {
            self = .endOfStream
        } else if errno == EAGAIN || errno == EWOULDBLOCK {
            self = .wouldBlock
        } else {
            // A descriptor that is not open is our own mistake, and might be somebody else's by now.
            precondition(errno != EBADF, "a closed descriptor is in use")
            self = .failed(errno)
        }
    }
}

/// Whether the call that just returned -1 would have blocked.
@inlinable
public func isWouldBlock() -> Bool {
    errno == EAGAIN || errno == EWOULDBLOCK
}

/// One `send()` without blocking and without SIGPIPE: bytes taken, or -1 with `errno`. The innermost call of
/// a broadcast, so it is a plain function on the number: no wrapper, no retain.
@inlinable @inline(__always)
public func sendNow(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    while true {
        let sent = send(
            descriptor, bytes.baseAddress, bytes.count,
            Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        if sent != -1 || errno != EINTR { return sent }
    }
}
