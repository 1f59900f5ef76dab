import Configuration
import HTTP
import Observability
import Transport

extension GatewayState {
    /// Lets the metrics that the loops count themselves be read when they are asked for.
    func registerFigures() {
        let registry = metrics.registry
        let statistics = statistics
        let loops = loops
        registry.gauge("websocket_connections", "Open WebSocket connections.") {
            Double(statistics.webSockets.load(ordering: .relaxed))
        }
        registry.gauge("connections", "Open connections of every kind that have a place.") {
            Double(statistics.connections.load(ordering: .relaxed))
        }
        registry.gauge("websocket_send_queue_bytes", "Bytes that wait to be written, over all connections.") {
            Double(statistics.bytesQueued.load(ordering: .relaxed))
        }
        registry.gauge("filters_distinct", "Different filters in use, over all event loops.") {
            Double(loops.reduce(0) { $0 + $1.distinctFilters.load(ordering: .relaxed) })
        }
        let sessions = sessions
        registry.gauge("sessions", "Sessions of clients that are in memory.") {
            Double(sessions.status.sessions)
        }
        registry.gauge("sessions_unwritten", "Those of them that have changed since they were stored.") {
            Double(sessions.status.unwritten)
        }
        registry.counter("websocket_sent_bytes_total", "Bytes written to connections, before TLS.") {
            Double(statistics.bytesSent.load(ordering: .relaxed))
        }
        registry.counter("connections_refused_total", "Connections refused, since all places were taken.") {
            Double(statistics.refused.load(ordering: .relaxed))
        }
        registry.counter("accept_pauses_total", "Times that accepting paused, since no descriptor was left.")
        {
            Double(statistics.acceptPauses.load(ordering: .relaxed))
        }
        registry.counter("http_bad_requests_total", "Requests that broke a rule of HTTP or took too long.") {
            Double(statistics.badRequests.load(ordering: .relaxed))
        }
        registry.counter("tls_handshakes_total", "TLS handshakes that ended well.") {
            Double(statistics.handshakes.load(ordering: .relaxed))
        }
        registry.counter("tls_handshake_failures_total", "TLS handshakes that failed or took too long.") {
            Double(statistics.failedHandshakes.load(ordering: .relaxed))
        }
    }
}

extension TransportLimits {
    /// As configured, with so many places.
    init(_ settings: Settings, maxConnections: Int) {
        self.init()
        self.maxConnections = maxConnections
        http = HTTPLimits(
            requestLineBytes: settings.http.maxRequestLineBytes,
            fieldSectionBytes: settings.http.maxFieldsBytes,
            fieldCount: settings.http.maxFields, bodyBytes: settings.http.maxBodyBytes)
        tlsHandshake = settings.tls.handshakeTimeout.milliseconds
        requestHead = settings.http.headerTimeout.milliseconds
        requestBody = settings.http.bodyTimeout.milliseconds
        idle = settings.http.idleTimeout.milliseconds
        stall = settings.webSocket.stallTime.milliseconds
        ping = settings.webSocket.pingInterval.milliseconds
        pong = settings.webSocket.pongTimeout.milliseconds
    }
}
