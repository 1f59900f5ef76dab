import Broadcast
import EventLoop
import HTTP
import WebSocket

extension TransportLoop {
    /// A connection's entry in the wheel came up, or a listener has rested.
    public func deadlinePassed(_ token: UInt64) {
        guard let connection = connections[SlotToken(token)] else {
            if let listener = listeners.first(where: { $0.token == token }) { resume(listener) }
            return
        }
        connection.scheduledAt = nil
        if connection.deadline(limits) <= now { act(connection) }
        guard connections[connection.token] != nil else { return }
        schedule(connection)
    }

    /// Makes sure that the wheel brings the connection up by its deadline. An entry that is early costs one
    /// look; there is one a connection, but where the deadline has come nearer.
    func schedule(_ connection: Connection) {
        let deadline = connection.deadline(limits)
        guard deadline != .max else { return }
        if let scheduled = connection.scheduledAt, scheduled <= deadline { return }
        connection.scheduledAt = deadline
        loop.schedule(connection.token.number, at: deadline)
    }

    /// Does what is due.
    private func act(_ connection: Connection) {
        if connection.hasUnsent, connection.lastProgress + limits.stall <= now {
            // It takes nothing at all. A WebSocket peer is told why, should it ever read on.
            return connection.isOpen ? closeSlowConsumer(connection) : drop(connection)
        }
        switch connection.phase {
        case .handshake:
            statistics.failedHandshakes.count()
            drop(connection)
        case .http:
            switch connection.parser?.phase ?? .idle {
            case .idle: drop(connection)
            case .head: timeOut(connection, "the request's fields", limits.requestHead)
            case .body: timeOut(connection, "the request's body", limits.requestBody)
            }
        case .webSocket:
            actOnWebSocket(connection)
        case .eventStream:
            actOnEventStream(connection)
        case .draining:
            break
        case .lingering:
            drop(connection)
        }
    }

    private func timeOut(_ connection: Connection, _ what: String, _ limit: UInt64) {
        statistics.badRequests.count()
        connection.answersHEAD = false
        connection.keepsAlive = false
        let detail = "\(what) did not arrive within \(limit / 1000) s"
        respond(
            ProblemDetails(status: 408, error: "REQUEST_TIMEOUT", detail: detail).response, to: connection)
    }

    private func actOnWebSocket(_ connection: Connection) {
        if connection.closing.isSent { return drop(connection) }
        tellService(connection)
        guard connection.isOpen else { return }
        if let pingedAt = connection.pingedAt {
            if pingedAt + limits.pong <= now { close(connection, .noPong, "no pong") }
        } else if connection.lastInput + limits.ping <= now {
            connection.pingedAt = now
            enqueue(Frame.encode(.ping, []), connection)
        }
    }

    private func actOnEventStream(_ connection: Connection) {
        tellService(connection)
        guard connection.isOpen, (connection.pingedAt ?? connection.lastInput) + limits.ping <= now else {
            return
        }
        connection.pingedAt = now
        sendComment(connection)
    }

    private func tellService(_ connection: Connection) {
        guard let due = connection.serviceDeadline, due <= now else { return }
        connection.serviceDeadline = nil
        service?.deadlinePassed(connection)
    }
}
