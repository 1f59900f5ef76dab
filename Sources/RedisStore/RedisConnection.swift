import CHiredis
import Glibc

/// One blocking connection, logged in and in its database. After an error it is of no more use.
///
/// The only file that touches hiredis and its pointers. Whoever runs this ignores SIGPIPE: hiredis writes to
/// connections that the server may have closed.
///
/// `@unchecked Sendable` is true because `RedisClient` gives it to one borrower at a time, under its lock.
final class RedisConnection: @unchecked Sendable {
    /// Made by `redisConnectWithTimeout`, freed in `deinit`, never null.
    private let context: UnsafeMutablePointer<redisContext>
    private let timeoutMilliseconds: Int
    /// What the socket's time limit is set to.
    private var limitMilliseconds = 0

    /// Connects, authenticates and selects the database.
    init(_ address: RedisAddress) throws(RedisFailure) {
        timeoutMilliseconds = address.timeoutMilliseconds
        guard
            let context = redisConnectWithTimeout(
                address.host, Int32(clamping: address.port), Self.interval(timeoutMilliseconds))
        else { throw .unreachable("no memory") }
        self.context = context
        guard context.pointee.err == 0 else { throw .unreachable(cause(after: timeoutMilliseconds)) }
        _ = fcntl(context.pointee.fd, F_SETFD, FD_CLOEXEC)
        redisEnableKeepAlive(context)
        var greetings: [RedisCommand] = []
        if let password = address.password, !password.isEmpty {
            greetings.append(RedisCommand("AUTH", password))
        }
        greetings.append(RedisCommand("SELECT", String(address.database)))
        for case .error(let line) in try send(greetings) { throw .refused(line) }
    }

    deinit {
        redisFree(context)
    }

    /// Sends commands in one go and waits for their answers, each at most the address's time limit and
    /// `waitMilliseconds`, which is for commands that block. The answers may be error lines.
    func send(_ commands: [RedisCommand], waitMilliseconds: Int = 0) throws(RedisFailure) -> [RedisReply] {
        let limit = timeoutMilliseconds + waitMilliseconds
        if limit != limitMilliseconds {
            guard redisSetTimeout(context, Self.interval(limit)) == REDIS_OK else {
                throw .unreachable(cause(after: limit))
            }
            limitMilliseconds = limit
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(commands.reduce(0) { $0 + $1.byteCount + 16 })
        for command in commands { command.write(to: &bytes) }
        // hiredis copies the bytes before it returns.
        let taken = bytes.withUnsafeBytes { bytes in
            redisAppendFormattedCommand(
                context, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard taken == REDIS_OK else { throw .unreachable(cause(after: limit)) }
        var replies: [RedisReply] = []
        for _ in commands {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReply(context, &raw) == REDIS_OK, let raw else { throw .lost(cause(after: limit)) }
            // redisGetReply(3): what it gives is a redisReply, ours until it is freed.
            defer { freeReplyObject(raw) }
            replies.append(Self.reply(raw.assumingMemoryBound(to: redisReply.self).pointee))
        }
        return replies
    }

    /// Whether the server has closed it, or said something unasked, since the last answer.
    var isStale: Bool {
        var polled = pollfd(fd: context.pointee.fd, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, 0) != 0
    }

    /// What went wrong, in hiredis's words, or the system's.
    private func cause(after milliseconds: Int) -> String {
        let text = withUnsafeBytes(of: &context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // A time limit shows as EAGAIN of a blocking socket, or as ETIMEDOUT of connecting.
        let timeouts = [EAGAIN, ETIMEDOUT, EINPROGRESS].map { String(cString: strerror($0)) }
        return timeouts.contains(text) ? "timed out after \(milliseconds) ms" : text
    }

    /// A copy of what hiredis has parsed; it bounds the nesting itself.
    private static func reply(_ reply: redisReply) -> RedisReply {
        func text() -> [UInt8] {
            // `str` points to `len` bytes in the types that have text.
            Array(UnsafeRawBufferPointer(start: reply.str, count: reply.len))
        }
        switch reply.type {
        case REDIS_REPLY_STRING: return .bytes(text())
        case REDIS_REPLY_STATUS: return .status(String(decoding: text(), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(String(decoding: text(), as: UTF8.self))
        case REDIS_REPLY_INTEGER: return .integer(reply.integer)
        case REDIS_REPLY_ARRAY:
            // `element` points to `elements` pointers to replies.
            return .array(
                UnsafeBufferPointer(start: reply.element, count: reply.elements).map { element in
                    element.map { Self.reply($0.pointee) } ?? .null
                })
        default: return .null
        }
    }

    private static func interval(_ milliseconds: Int) -> timeval {
        timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
    }
}
