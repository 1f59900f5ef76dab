import HTTP
import LinuxSystem
import Locking

/// A small HTTP/1.1 server on this machine's loopback that answers as it is told: it stands in for exchanges
/// in a replayed market, and for providers in tests.
///
/// One thread, at most 64 connections, requests within `HTTPLimits`. It has no time limits of its own: only
/// this machine can reach it.
public final class ScriptedServer: Sendable {
    /// The port of 127.0.0.1 that it listens on, chosen by the kernel.
    public let port: Int
    private let stopping: Stopping
    private let thread: Locked<LinuxSystem.Thread?>

    /// A server that runs until nothing refers to it: then its connections are closed and its thread has
    /// ended. `answer` is called on that thread and must not block. Throws where the kernel has no socket or
    /// thread left.
    public init(_ answer: @escaping @Sendable (HTTPRequest) -> ScriptedReply) throws(SystemCallError) {
        let socket = try ListeningSocket(host: "127.0.0.1", port: 0)
        let stopping = try Stopping()
        port = socket.port
        self.stopping = stopping
        let released = socket.release()
        thread = Locked(
            try LinuxSystem.Thread(name: "scripted") {
                ScriptedLoop(ListeningSocket(adopting: released), stopping.wake.raw, answer)
                    .run { stopping.isAsked.withLock { $0 } }
            })
    }

    deinit {
        stopping.isAsked.withLock { $0 = true }
        stopping.wake.signal()
        thread.withLock { $0.take() }?.join()
    }

    /// `http://127.0.0.1:40123`.
    public var baseURL: String { "http://127.0.0.1:\(port)" }

    /// What the thread is told to end by.
    private final class Stopping: Sendable {
        let isAsked = Locked(false)
        let wake: EventFD

        init() throws(SystemCallError) {
            wake = try EventFD()
        }
    }
}
