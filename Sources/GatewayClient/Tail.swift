import FIMLCore
import Glibc
import LinuxSystem

/// `tail`: prints the events of a gateway as they come, and keeps at it.
///
/// One thread, blocking. Events go to standard output, everything else to standard error.
public struct Tail {
    private let options: TailOptions
    private let url: GatewayURL
    private let waiter: Waiter
    private let line: EventLine
    private var subscriber: Subscriber
    private var eventCount = 0

    /// Runs until a signal, an end that was asked for, or a failure that another attempt would not mend. Call
    /// it before there are other threads, since it takes SIGINT and SIGTERM for itself.
    ///
    /// - Returns: the process's exit code: 0, or 1 after a failure, and where `--timeout` ended it before
    ///   `--count` events (or any) had come.
    public static func run(_ options: TailOptions, url: GatewayURL) -> Int32 {
        // A closed output is an error of write(2) to us, not a signal.
        signal(SIGPIPE, SIG_IGN)
        do throws(SystemCallError) {
            try SignalFD.block([SIGINT, SIGTERM])
            let signals = try SignalFD([SIGINT, SIGTERM])
            let deadline = options.timeoutSeconds.map { monotonicMilliseconds() + UInt64($0) * 1000 }
            let waiter = Waiter(signals: signals.raw, output: STDOUT_FILENO, deadline: deadline ?? .max)
            var tail = Tail(options, url, waiter)
            // The signals' descriptor must outlive the run.
            return withExtendedLifetime(signals) { tail.run() }
        } catch {
            StandardError.write("\(error)")
            return 1
        }
    }

    private init(_ options: TailOptions, _ url: GatewayURL, _ waiter: Waiter) {
        self.options = options
        self.url = url
        self.waiter = waiter
        line = EventLine(hasColor: isatty(STDOUT_FILENO) == 1 && !Self.isSet("NO_COLOR"))
        subscriber = Subscriber(filter: options.filter, start: options.start, session: options.session)
    }

    private mutating func run() -> Int32 {
        while true {
            let end = connection()
            if case .stopped(let stop) = end { return exitCode(stop) }
            switch subscriber.ended(end, random: .random(in: 0..<1)) {
            case .fail(let reason):
                StandardError.write(reason)
                return 1
            case .connect(let delay, let reason):
                StandardError.write("\(reason); connecting again \(Self.moment(delay))")
                do throws(ConnectionEnd) {
                    _ = try waiter.wait(for: -1, 0, until: monotonicMilliseconds() + UInt64(delay))
                } catch {
                    if case .stopped(let stop) = error { return exitCode(stop) }
                }
            }
        }
    }

    /// Connects and receives.
    ///
    /// - Returns: how it ended.
    private mutating func connection() -> ConnectionEnd {
        let connection: ClientConnection
        do throws(ConnectionEnd) {
            connection = try ClientConnection(
                url, isInsecure: options.isInsecure, caFile: options.caFile, waiter)
        } catch {
            return error
        }
        StandardError.write("connected to \(url)")
        do throws(ConnectionEnd) {
            try connection.send(subscriber.connected(), waiter)
            while true {
                let message = try connection.next(
                    silenceLimitMilliseconds: subscriber.silenceLimitMilliseconds, waiter)
                try receive(message, on: connection)
            }
        } catch {
            // Whoever is stopped says how far it came; the close frame follows, so it is read.
            if case .stopped = error, let last = subscriber.lastWord() {
                do throws(ConnectionEnd) {
                    try connection.send(last, .undisturbed)
                } catch {
                    StandardError.write("the session was not told how far this came: events will come again")
                }
            }
            connection.close()
            return error
        }
    }

    private mutating func receive(
        _ text: [UInt8], on connection: ClientConnection
    ) throws(ConnectionEnd) {
        let message: JSONValue
        do throws(JSONError) {
            message = try JSONValue.parse(text)
        } catch {
            throw .lost("the server sent a text that is not JSON")
        }
        for action in subscriber.receive(message) {
            switch action {
            case .event(let event):
                // Between tokens a line break is white space: a space in its place keeps one object a line.
                try print(
                    options.printsJSON
                        ? text.map { $0 == 10 || $0 == 13 ? 32 : $0 } : Array(line.text(event).utf8))
                eventCount += 1
                if eventCount == options.count { throw .stopped(.enoughEvents) }
            case .note(let text):
                StandardError.write(text)
            case .send(let message):
                try connection.send(message, waiter)
            case .end(let end):
                throw end
            }
        }
    }

    /// Writes a line to standard output; a signal ends the wait for a reader that is slow.
    private func print(_ text: [UInt8]) throws(ConnectionEnd) {
        var rest = (text + [10])[...]
        while !rest.isEmpty {
            _ = try waiter.wait(for: STDOUT_FILENO, POLLOUT, until: .max)
            // A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)).
            let count = rest.prefix(4096).withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE || errno == EBADF {
                throw .stopped(.outputClosed)
            } else if errno != EINTR && !isWouldBlock() {
                throw .hopeless("cannot print: \(String(cString: strerror(errno)))")
            }
        }
    }

    private func exitCode(_ stop: ConnectionEnd.Stop) -> Int32 {
        switch stop {
        case .interrupted, .outputClosed, .enoughEvents: return 0
        case .timeIsUp:
            if eventCount > 0 && options.count == nil { return 0 }
            StandardError.write("\(eventCount) events within \(options.timeoutSeconds ?? 0) s")
            return 1
        }
    }

    /// `in 0.7 s` for 700 milliseconds.
    private static func moment(_ milliseconds: Int) -> String {
        milliseconds == 0 ? "now" : "in \(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }

    /// As no-color.org has it: present and not empty.
    private static func isSet(_ name: String) -> Bool {
        getenv(name).map { $0.pointee != 0 } ?? false
    }
}
