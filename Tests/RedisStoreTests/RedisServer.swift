import EventStore
import FIMLCore
import Foundation
import LinuxSystem
import Testing

@testable import RedisStore

/// A real `redis-server` of a test's own: on a free port of the loopback, in a temporary directory; it ends
/// with this object.
final class RedisServer {
    struct NotStarted: Error {}

    let directory: URL
    private(set) var port: Int
    private let options: [String]
    private var process: Process

    /// `options` as on its command line. Writes each command to its file before it answers, unless told
    /// otherwise.
    init(_ options: [String] = []) throws {
        ignoreSignals([SIGPIPE])
        directory = FileManager.default.temporaryDirectory.appending(path: "redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        self.options = options
        process = Process()
        port = 0
        for _ in 0..<20 {
            port = try ListeningSocket(host: "127.0.0.1", port: 0).port
            if try start() { return }
        }
        throw NotStarted()
    }

    deinit {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    func address(password: String? = nil, database: Int = 0, timeoutSeconds: Double = 120) -> RedisAddress {
        RedisAddress(
            host: "127.0.0.1", port: port, database: database, password: password,
            timeoutSeconds: timeoutSeconds)
    }

    func client(timeoutSeconds: Double = 120) -> RedisClient {
        RedisClient(address(timeoutSeconds: timeoutSeconds))
    }

    /// Ends it at once, as a crash would.
    func kill() {
        guard process.isRunning else { return }
        signal(SIGKILL)
        process.waitUntilExit()
    }

    func signal(_ number: Int32) {
        Foundation.kill(process.processIdentifier, number)
    }

    /// Starts it again, on the same port.
    func restart() throws {
        process = Process()
        guard try start() else { throw NotStarted() }
    }

    @discardableResult
    func run(_ words: String...) throws -> RedisReply {
        var command = RedisCommand()
        for word in words { command.append(word) }
        return try RedisClient(address(password: password)).ask(command)
    }

    private var password: String? {
        options.firstIndex(of: "--requirepass").map { options[$0 + 1] }
    }

    /// Whether it runs and answers; somebody else may have taken the port.
    private func start() throws -> Bool {
        process.executableURL = URL(filePath: "/usr/bin/redis-server")
        process.arguments =
            [
                "--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory.path, "--save", "",
                "--appendonly", "yes", "--appendfsync", "always", "--logfile",
                directory.appending(path: "log").path,
            ] + options
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let deadline = Date(timeIntervalSinceNow: 120)
        while process.isRunning, Date() < deadline {
            let info = try? RedisClient(address(password: password)).ask(RedisCommand("INFO")).text
            guard let info, info.contains("\nloading:0\r\n") else { continue }
            if info.contains("process_id:\(process.processIdentifier)\r\n") { return true }
        }
        return false
    }
}

/// Waits until something is so, for two minutes at most.
func eventually(_ isSo: () throws -> Bool) throws -> Bool {
    let deadline = Date(timeIntervalSinceNow: 120)
    while Date() < deadline {
        if try isSo() { return true }
    }
    return false
}

/// What a call of a store failed with, or nil.
func failure<Result>(_ body: () throws -> Result) -> StoreError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? StoreError
    }
}

func event(
    _ id: String, _ status: EventStatus = .firing, fingerprint: String = "0123456789abcdef"
) -> WatchdogEvent {
    let time = Timestamp(milliseconds: 1_795_497_841_000)
    return WatchdogEvent(
        eventID: id, type: .priceAnomaly, severity: .high, status: status, fingerprint: fingerprint,
        watchdog: .priceAnomaly, asset: nil, assets: ["BTC", "ETH"], description: "moved", timestamp: time,
        startsAt: time, endsAt: status == .resolved ? time : nil)
}

func ids(_ events: [StoredEvent]) throws -> [String] {
    try events.map { try JSONValue.parse($0.json)["event_id"]?.text ?? "" }
}

extension RedisEventStore {
    /// Appends events, one a submission; where they stand.
    @discardableResult
    func append(_ events: WatchdogEvent...) throws -> [StreamPosition] {
        try append(events.map { Submission(events: [$0]) }, now: 0).flatMap { answer in
            if case .stored(let positions) = answer { positions } else { [StreamPosition]() }
        }
    }
}
