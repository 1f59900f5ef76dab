import Glibc

/// A descriptor, usually standard error, that lines are written to without ever waiting.
struct LineOutput: Sendable {
    /// A pipe that is writable takes this many bytes at once without blocking (pipe(7), PIPE_BUF).
    private static let mostBytesAtOnce = 4096

    let descriptor: Int32

    /// Whether a person is looking.
    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Writes a line, cut to what fits without waiting; false if not even that fits now.
    ///
    /// The descriptor stays in blocking mode, since it is shared with other processes; so it is asked first.
    /// Nothing is written to a pipe that nobody reads any more, which would raise SIGPIPE.
    func write(_ line: String) -> Bool {
        var bytes = Array(line.utf8)
        if bytes.count > Self.mostBytesAtOnce {
            bytes.removeSubrange((Self.mostBytesAtOnce - 1)...)
            bytes.append(UInt8(ascii: "\n"))
        }
        var query = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&query, 1, 0) == 1, query.revents == Int16(POLLOUT) else { return false }
        while true {
            let count = Glibc.write(descriptor, bytes, bytes.count)
            if count >= 0 || errno != EINTR { return count >= 0 }
        }
    }
}
