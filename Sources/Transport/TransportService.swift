import Broadcast
import HTTP
import WebSocket

/// What a `TransportLoop` asks of the program it carries. All calls come on the loop's thread.
public protocol TransportService: AnyObject {
    /// Whether a request may be under way beside others of its connection that may be so too.
    func mayBeSideBySide(_ request: HTTPRequest) -> Bool
    /// Answers a request.
    func respond(to request: HTTPRequest, from connection: Connection) -> Answer
    /// A WebSocket connection or an event stream is open; its 101 or 200 is on its way.
    func opened(_ connection: Connection)
    /// A whole message came.
    func received(_ payload: [UInt8], _ opcode: Opcode, from connection: Connection)
    /// A WebSocket connection or an event stream is over, or will be once the peer has been told: nothing can
    /// be sent to it. Called once.
    func ended(_ connection: Connection, _ code: CloseCode)
    /// The connection's `serviceDeadline` has passed; a new one may be set.
    func deadlinePassed(_ connection: Connection)
    /// The `gap` message for what a slow consumer loses.
    func gapMessage(_ loss: Loss) -> DirectMessage
    /// Events were shed for a slow consumer.
    func shed(_ loss: Loss, _ connection: Connection)
    /// Publications went to all who want them: so many frames, in so many nanoseconds.
    func broadcast(_ publications: ArraySlice<Publication>, frames: Int, nanoseconds: UInt64)
    /// A turn of the loop ends; whether work is left that must not wait.
    func turnEnded() -> Bool
}

/// How a request is answered.
public enum Answer {
    /// At once.
    case response(HTTPResponse)
    /// Later, by `TransportLoop.complete` with the connection's `requestNumber`. What comes behind waits
    /// until then, but for what `mayBeSideBySide`.
    case later
    /// By switching to WebSocket.
    case webSocket(WebSocketAcceptance)
    /// By an event stream.
    case eventStream(EventStreamAcceptance)
}

/// The terms on which an event stream (WHATWG HTML 9.2) is accepted.
public struct EventStreamAcceptance {
    /// Its head is sent; the stream is its content.
    public var response: HTTPResponse
    /// Whether the content goes in chunks, for a client of HTTP/1.1.
    public var isChunked: Bool
    /// Bytes that may wait for the client before events are shed and the stream is ended.
    public var sendQueueBytes: Int
    /// The service's own state of the connection.
    public var session: AnyObject?

    /// Terms with every part given.
    public init(response: HTTPResponse, isChunked: Bool, sendQueueBytes: Int, session: AnyObject?) {
        self.response = response
        self.isChunked = isChunked
        self.sendQueueBytes = sendQueueBytes
        self.session = session
    }
}

/// The terms on which a WebSocket connection is accepted.
public struct WebSocketAcceptance {
    /// From `WebSocketUpgrade.check`.
    public var acceptKey: String
    /// What is answered in `Sec-WebSocket-Protocol`, if anything.
    public var subprotocol: String?
    /// What was negotiated, if anything.
    public var deflate: DeflateParameters?
    /// The largest message taken, as sent.
    public var maxMessageBytes: Int
    /// The largest message taken, inflated.
    public var maxInflatedBytes: Int
    /// Bytes that may wait for the peer before events are shed and the connection is closed. Nil: nothing is
    /// shed, and nothing more is read while much waits.
    public var sendQueueBytes: Int?
    /// The service's own state of the connection.
    public var session: AnyObject?

    /// Terms with every part given.
    public init(
        acceptKey: String, subprotocol: String?, deflate: DeflateParameters?, maxMessageBytes: Int,
        maxInflatedBytes: Int, sendQueueBytes: Int?, session: AnyObject?
    ) {
        self.acceptKey = acceptKey
        self.subprotocol = subprotocol
        self.deflate = deflate
        self.maxMessageBytes = maxMessageBytes
        self.maxInflatedBytes = maxInflatedBytes
        self.sendQueueBytes = sendQueueBytes
        self.session = session
    }
}

/// What other threads send to a loop.
public enum LoopMessage: Sendable {
    /// An event for all of the loop's subscribers who want it.
    case publication(Publication)
    /// Something to do on the loop.
    case task(@Sendable (TransportLoop) -> Void)
}
