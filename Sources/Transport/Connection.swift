import Broadcast
import EventLoop
import HTTP
import LinuxSystem
import TLS
import WebSocket

/// One connection, from accept to close: TLS or not, HTTP first, then perhaps WebSocket or an event stream.
/// An idle one owns no buffer.
///
/// It belongs to its loop's thread.
public final class Connection {
    enum Phase: UInt8 {
        /// Shaking hands for TLS.
        case handshake
        case http
        case webSocket
        /// Events are the content of a response; what the peer sends is discarded.
        case eventStream
        /// What waits is written, then we end our side.
        case draining
        /// Our side has ended. Input is discarded until the peer ends its own, so that closing does not reset
        /// the connection before the peer has read our last words (RFC 9112 9.6).
        case lingering
    }

    /// Names it for as long as the process runs.
    public let token: SlotToken
    /// Who is at the other end.
    public let peer: PeerAddress
    let descriptor: FileDescriptor
    let tls: TLSSession?

    var phase: Phase
    var interest: Readiness = .readable
    /// While HTTP is spoken.
    var parser: HTTPRequestParser?
    /// While WebSocket is spoken.
    var reader: WebSocketReader?
    var closing = ClosingHandshake(role: .server)
    /// What waits to be written; nil while nothing does.
    var queue: SendQueue?
    /// Sealed bytes that the socket did not take; they go before anything in `queue`.
    var unsent: [UInt8] = []
    var sendQueueBytes: Int?

    /// When the phase, or the part of a request that is being waited for, began. All times are the loop's
    /// `now`.
    var phaseSince: UInt64
    var lastInput: UInt64
    /// When the socket last took something, or something was first to wait.
    var lastProgress: UInt64
    /// When the last ping was sent that is not answered; of an event stream, the last comment.
    var pingedAt: UInt64?
    /// Requests that are being answered by `Answer.later`; nil while none is.
    var pipeline: Pipeline?
    /// How many requests there were: the number of the one that the service is asked to answer.
    public internal(set) var requestNumber = 0
    var answersHEAD = false
    var keepsAlive = true
    /// It is counted; one that is refused is not, so that those who stay after their 503 keep nobody out.
    var hasPlace = true
    var isDirty = false
    /// Requests wait in the parser until the peer has taken more of its answers.
    var hasBacklog = false
    /// The peer has sent its last byte.
    var peerHasEnded = false
    /// The earliest entry in the wheel.
    var scheduledAt: UInt64?
    /// The service knows of the WebSocket or event stream.
    var isOpen = false

    /// The service's own state.
    public internal(set) var session: AnyObject?
    /// When the service wants to be called; nil for never.
    public var serviceDeadline: UInt64?

    init(
        token: SlotToken, descriptor: consuming FileDescriptor, peer: PeerAddress, tls: TLSSession?,
        limits: HTTPLimits, now: UInt64
    ) {
        self.token = token
        self.descriptor = descriptor
        self.peer = peer
        self.tls = tls
        phase = tls == nil ? .http : .handshake
        parser = HTTPRequestParser(limits: limits)
        phaseSince = now
        lastInput = now
        lastProgress = now
    }

    /// Whether requests are being answered by `Answer.later`.
    var isAwaitingAnswer: Bool { pipeline != nil }

    /// Whether another request may be looked at now.
    var mayTakeRequest: Bool { pipeline?.mayGrow ?? true }

    /// Whether bytes wait for the socket.
    var hasUnsent: Bool { queue != nil || !unsent.isEmpty }

    /// The time at which something is due next, if nothing happens before.
    func deadline(_ limits: TransportLimits) -> UInt64 {
        var deadline: UInt64
        switch phase {
        case .handshake:
            deadline = phaseSince + limits.tlsHandshake
        case .http:
            // Nothing is the peer's turn while an answer is.
            let isOurTurn = isAwaitingAnswer || hasBacklog
            switch parser?.phase ?? .idle {
            case _ where isOurTurn: deadline = .max
            case .idle: deadline = hasUnsent ? .max : lastInput + limits.idle
            case .head: deadline = phaseSince + limits.requestHead
            case .body: deadline = phaseSince + limits.requestBody
            }
        case .webSocket:
            if closing.isSent {
                deadline = phaseSince + limits.closing
            } else {
                deadline = pingedAt.map { $0 + limits.pong } ?? lastInput + limits.ping
                deadline = min(deadline, serviceDeadline ?? .max)
            }
        case .eventStream:
            deadline = min((pingedAt ?? lastInput) + limits.ping, serviceDeadline ?? .max)
        case .draining:
            deadline = .max
        case .lingering:
            deadline = phaseSince + limits.closing
        }
        return hasUnsent ? min(deadline, lastProgress + limits.stall) : deadline
    }
}
