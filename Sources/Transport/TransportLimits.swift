import HTTP

/// Bounds and time limits of connections; times in milliseconds.
public struct TransportLimits: Sendable {
    /// Connections over all loops.
    public var maxConnections = 100_000
    /// What an HTTP request may measure.
    public var http = HTTPLimits()
    /// From connecting to the end of the TLS handshake.
    public var tlsHandshake: UInt64 = 10_000
    /// From the first byte of a request to the end of its fields.
    public var requestHead: UInt64 = 10_000
    /// From the end of the fields to the end of the body.
    public var requestBody: UInt64 = 30_000
    /// Between requests, and before the first.
    public var idle: UInt64 = 60_000
    /// Something waits to be written and the peer takes nothing.
    public var stall: UInt64 = 10_000
    /// A WebSocket peer is silent: then it is pinged. An event stream gets a comment as often.
    public var ping: UInt64 = 25_000
    /// It stays silent after the ping: then it is closed with 4201.
    public var pong: UInt64 = 10_000
    /// The peer's close frame after ours, and the peer's end of stream after ours.
    public var closing: UInt64 = 3_000

    /// The defaults.
    public init() {}
}
