import Broadcast

/// What a broadcast reads of a connection, apart from everything else of it: 24 bytes in one table, so that a
/// round over many connections walks through memory in order.
struct Link {
    /// How an event's frame reaches the connection.
    enum Path: UInt8 {
        /// Not at all: neither a WebSocket nor an event stream is open.
        case none
        /// Straight to the socket.
        case plain
        /// Through TLS, then straight to the socket.
        case sealed
        /// Behind what waits already.
        case queued
    }

    var descriptor: Int32 = -1
    var path = Path.none
    var encoding = FrameEncoding.plain
    /// Events handed to the connection since it opened.
    var eventsSent: UInt64 = 0
    var eventsDropped: UInt64 = 0
}

/// The links of all slots.
struct LinkTable: ~Copyable {
    private var links: UnsafeMutableBufferPointer<Link>

    init() {
        links = .allocate(capacity: 64)
        links.initialize(repeating: Link())
    }

    deinit {
        links.deallocate()
    }

    /// Makes room for a slot and empties it.
    mutating func reset(_ slot: UInt32) {
        if Int(slot) >= links.count {
            let larger = UnsafeMutableBufferPointer<Link>.allocate(
                capacity: max(links.count * 2, Int(slot) + 1))
            _ = larger.moveUpdate(fromContentsOf: links)
            larger[links.count...].initialize(repeating: Link())
            links.deallocate()
            links = larger
        }
        links[Int(slot)] = Link()
    }

    subscript(slot: UInt32) -> Link {
        get { links[Int(slot)] }
        nonmutating _modify { yield &links[Int(slot)] }
    }
}
