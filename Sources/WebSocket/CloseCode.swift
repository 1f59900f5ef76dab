/// Why a connection ends (RFC 6455 §7.4, IANA's registry, and the codes of `fiml.v1.json`).
public struct CloseCode: RawRepresentable, Sendable, Hashable {
    /// The number, as on the wire.
    public let rawValue: UInt16

    /// Any number; `isValidOnWire` tells whether a close frame may carry it.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Whether a close frame may carry this code (RFC 6455 §7.4.1 and §7.4.2): 1004 is reserved, 1005, 1006
    /// and 1015 speak only about a connection, 1012 to 1014 were registered with IANA later, the rest up to
    /// 2999 is unassigned.
    public var isValidOnWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    /// The purpose of the connection is fulfilled.
    public static let normalClosure = CloseCode(rawValue: 1000)
    /// The server shuts down, or the page was left.
    public static let goingAway = CloseCode(rawValue: 1001)
    /// The peer broke the protocol.
    public static let protocolError = CloseCode(rawValue: 1002)
    /// A kind of data that is not accepted, as binary on a JSON connection.
    public static let unsupportedData = CloseCode(rawValue: 1003)
    /// The close frame had no code; never sent.
    public static let noStatus = CloseCode(rawValue: 1005)
    /// The connection ended without a close frame; never sent.
    public static let abnormalClosure = CloseCode(rawValue: 1006)
    /// The payload does not fit its type, as text that is not UTF-8.
    public static let invalidPayload = CloseCode(rawValue: 1007)
    /// A policy was violated and no other code says it better.
    public static let policyViolation = CloseCode(rawValue: 1008)
    /// The message is larger than the limit.
    public static let messageTooBig = CloseCode(rawValue: 1009)
    /// The server did not accept an extension that the client needs.
    public static let mandatoryExtension = CloseCode(rawValue: 1010)
    /// The server failed.
    public static let internalError = CloseCode(rawValue: 1011)
    /// The service restarts; reconnect after a random delay.
    public static let serviceRestart = CloseCode(rawValue: 1012)
    /// The server is overloaded; try again later.
    public static let tryAgainLater = CloseCode(rawValue: 1013)

    /// Too many bad requests; do not reconnect until something changes.
    public static let badRequests = CloseCode(rawValue: 4000)
    /// No credentials, or wrong ones; do not reconnect until something changes.
    public static let unauthorized = CloseCode(rawValue: 4001)
    /// No `auth` message in time; do not reconnect until something changes.
    public static let authTimeout = CloseCode(rawValue: 4002)
    /// The credentials do not permit this; do not reconnect until something changes.
    public static let forbidden = CloseCode(rawValue: 4003)
    /// An operator ended the connection; do not reconnect until something changes.
    public static let disconnectedByOperator = CloseCode(rawValue: 4005)
    /// A newer connection has taken the session over; do not reconnect until something changes.
    public static let sessionTaken = CloseCode(rawValue: 4006)
    /// The server is full; reconnect with backoff.
    public static let overCapacity = CloseCode(rawValue: 4100)
    /// Too many requests; reconnect with backoff.
    public static let rateLimited = CloseCode(rawValue: 4101)
    /// Reads too slowly for what it subscribed to; reconnect with backoff.
    public static let slowConsumer = CloseCode(rawValue: 4102)
    /// The token ran out; reconnect at once with a new one and resume.
    public static let tokenExpired = CloseCode(rawValue: 4200)
    /// A ping was not answered in time; reconnect at once and resume.
    public static let noPong = CloseCode(rawValue: 4201)
    /// The server drains; reconnect as told and resume.
    public static let draining = CloseCode(rawValue: 4202)
}
