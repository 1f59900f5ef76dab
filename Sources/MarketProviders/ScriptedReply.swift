import HTTP

/// How a `ScriptedServer` answers a request.
public struct ScriptedReply: Sendable {
    /// What goes wrong with an answer.
    public enum Fault: Sendable {
        /// The connection is closed after so many bytes of it, head included; after 0 without an answer.
        case cutOff(afterBytes: Int)
        /// Nothing is sent, and the connection stays open.
        case silence
        /// These bytes are sent in its place, then the connection is closed.
        case garbled([UInt8])
    }

    /// What is said.
    public var response: HTTPResponse
    /// How long the server waits before it does.
    public var delay: Duration
    /// What goes wrong.
    public var fault: Fault?

    /// A reply with every part given. The status must be one of a final answer, 200 to 599.
    public init(_ response: HTTPResponse, delay: Duration = .zero, fault: Fault? = nil) {
        precondition((200...599).contains(response.status), "a status of a final answer")
        self.response = response
        self.delay = delay
        self.fault = fault
    }

    /// A reply of status and text.
    public init(_ status: Int, _ text: String = "", fields: HTTPFields = HTTPFields()) {
        self.init(HTTPResponse(status: status, fields: fields, body: Array(text.utf8)))
    }
}
