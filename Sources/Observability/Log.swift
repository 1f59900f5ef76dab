import FoundationEssentials
import Glibc
import Locking

/// Writes log records, one line each, from any thread.
///
/// A caller never waits for whoever reads the log: a record that does not fit at once is dropped, and the
/// next one that fits is preceded by the count of those dropped. Secrets do not belong in a record.
public struct Log: Sendable {
    /// Takes a whole line, or says that it does not fit now.
    public typealias Sink = @Sendable (_ line: String) -> Bool

    private let level: LogLevel
    private let format: LogFormat
    private let now: @Sendable () -> Date
    private let sink: Sink
    private let dropped = Locked(0)

    /// A log to `sink`, which is called by one thread at a time.
    public init(
        level: LogLevel, format: LogFormat, now: @escaping @Sendable () -> Date = { Date() },
        sink: @escaping Sink
    ) {
        (self.level, self.format, self.now, self.sink) = (level, format, now, sink)
    }

    /// A log to standard error: for people where that is a terminal, else JSON.
    public static func standardError(level: LogLevel) -> Log {
        let output = LineOutput(descriptor: STDERR_FILENO)
        return Log(level: level, format: output.isTerminal ? .terminal : .json, sink: output.write)
    }

    /// What helps to find a fault.
    public func debug(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.debug, message, fields)
    }

    /// What an operator wants to know in good times.
    public func info(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.info, message, fields)
    }

    /// What an operator should look at.
    public func warning(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, LogValue> = [:])
    {
        write(.warning, message, fields)
    }

    /// What does not work.
    public func error(_ message: @autoclosure () -> String, _ fields: KeyValuePairs<String, LogValue> = [:]) {
        write(.error, message, fields)
    }

    private func write(_ level: LogLevel, _ message: () -> String, _ fields: KeyValuePairs<String, LogValue>)
    {
        guard level >= self.level else { return }
        let time = now()
        let line = format.line(time: time, level: level, message: message(), fields: fields)
        dropped.withLock { dropped in
            if dropped > 0 {
                let notice = format.line(
                    time: time, level: .warning, message: "log records dropped",
                    fields: ["count": .integer(dropped)])
                guard sink(notice) else {
                    dropped += 1
                    return
                }
                dropped = 0
            }
            if !sink(line) { dropped += 1 }
        }
    }
}
