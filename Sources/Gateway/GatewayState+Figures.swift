import Configuration
import HTTP
import Observability
import Transport

extension GatewayState {
    /// Lets the metrics that the loops count themselves be read when they are asked for.
    func registerFigures() {
        // Filled in below.
    }
}

extension TransportLimits {
    /// As configured, with so many places.
    init(_ settings: Settings, maxConnections: Int) {
        self.init()
        self.maxConnections = maxConnections
        http = HTTPLimits(
            requestLineBytes: settings.http.maxRequestLineBytes, fieldSectionBytes: settings.http.maxFieldsBytes,
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
