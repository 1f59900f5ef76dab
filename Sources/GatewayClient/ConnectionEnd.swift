import WebSocket

/// Why a connection is over, or did not come to be.
public enum ConnectionEnd: Error, Equatable, Sendable {
    /// The server closed it, with its code and reason.
    case closed(CloseCode?, reason: String)
    /// The server answered the handshake by a status other than 101, perhaps with `Retry-After`.
    case refused(status: Int, reason: String, retryAfterSeconds: Int?)
    /// The network failed, or the peer does not speak the protocol.
    case lost(String)
    /// The server cannot be trusted, or is asked for in a way that cannot work; trying again would not help.
    case hopeless(String)
    /// We want to end.
    case stopped(Stop)

    /// Why we want to end.
    public enum Stop: Equatable, Sendable {
        /// SIGINT or SIGTERM.
        case interrupted
        /// Nobody reads our output any more.
        case outputClosed
        /// `--timeout` has passed.
        case timeIsUp
        /// `--count` events have come.
        case enoughEvents
    }
}
