import FIMLCore
import Transport

// Shutting down without losing anybody.
extension LoopService {
    /// The longest that a client is asked to wait before it comes back, in milliseconds: those of a busy
    /// gateway should not all knock on the next one at once.
    private static let reconnectSpread = 5_000

    /// Tells every client to come back, and to where it is complete; ends the loop when all are gone or time
    /// is up.
    func drain() {
        let end = transport.now + state.settings.server.drainTime.milliseconds
        drainsUntil = end
        transport.wake(at: end)
        transport.drain()
        transport.forEachStream { connection in
            if let session = connection.session as? ClientSession {
                abandonAnalyses(session, connection)
                let position = completePosition(connection)
                let delay = Int.random(in: 0...Self.reconnectSpread)
                send(
                    "going_away",
                    ServerMessage.goingAway(
                        reason: "drain", reconnectAfterMilliseconds: delay, position: position,
                        timestamp: state.now()), at: position, retryMilliseconds: delay, to: connection)
            }
            transport.close(connection, .draining, "the gateway is shutting down")
        }
    }

    /// Ends the loop once a drain is over.
    func endDrain() {
        guard let drainsUntil, transport.connectionCount == 0 || transport.now >= drainsUntil else { return }
        transport.stop()
    }
}
