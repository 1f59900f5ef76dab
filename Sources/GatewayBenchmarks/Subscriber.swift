/// One connection of the load generator. Plain data: there are 18,000, and they are visited with every event.
struct Subscriber {
    enum State: UInt8 {
        case connecting, shaking, upgrading, open
        /// Refused by an HTTP answer other than 101.
        case refused
        /// Never connected, or closed by the server.
        case lost
    }

    var channel: Channel
    var state = State.connecting
    /// Bytes of the current frame still to come.
    var rest = 0
    /// The beginning of a frame or an answer whose end has not come; allocated while there is one.
    var carried: UnsafeMutableRawBufferPointer?

    init(_ channel: Channel) {
        self.channel = channel
    }

    /// Whether its opening handshake is still under way.
    var isUnderWay: Bool {
        switch state {
        case .connecting, .shaking, .upgrading: true
        case .open, .refused, .lost: false
        }
    }

    /// Ends the connection, for that reason.
    mutating func close(_ state: State) {
        guard self.state != .refused, self.state != .lost else { return }
        channel.close()
        carried?.deallocate()
        carried = nil
        self.state = state
    }
}
