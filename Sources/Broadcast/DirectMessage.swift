import FIMLCore

/// A message for one connection. A WebSocket carries its text alone; an event stream says the rest beside it.
public struct DirectMessage: Sendable {
    /// The value of the text's `type` member.
    public var type: String
    /// JSON.
    public var text: [UInt8]
    /// From where a client that has this message resumes; nil where that stays what it was.
    public var position: StreamPosition?
    /// How long a client is to wait before it comes back, should the connection end; nil where that stays
    /// what it was.
    public var retryMilliseconds: Int?

    /// A message with every part given.
    public init(
        type: String, text: [UInt8], position: StreamPosition? = nil, retryMilliseconds: Int? = nil
    ) {
        self.type = type
        self.text = text
        self.position = position
        self.retryMilliseconds = retryMilliseconds
    }
}
