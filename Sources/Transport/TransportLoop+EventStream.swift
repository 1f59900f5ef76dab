import Broadcast
import HTTP
import LinuxSystem

// Event streams (WHATWG HTML 9.2): a response whose content is what a WebSocket's messages would say. It has
// no end of its own, so the connection ends with it.
extension TransportLoop {
    func beginEventStream(_ connection: Connection, _ acceptance: EventStreamAcceptance) {
        let isHEAD = connection.answersHEAD
        connection.keepsAlive = connection.keepsAlive && isHEAD
        var head: [UInt8] = []
        acceptance.response.serializeHead(
            into: &head, date: dateField(), isChunked: acceptance.isChunked, keepAlive: connection.keepsAlive)
        enqueue(head, connection)
        if isHEAD {
            if !connection.keepsAlive { finish(connection) }
            return
        }
        if connection.peerHasEnded {
            // A client that ends its side of an event stream has left it: see `endOfStream`.
            enqueue(EventStreamBlock.end(isChunked: acceptance.isChunked), connection)
            return finish(connection)
        }
        // The client has nothing to say any more.
        connection.parser = nil
        connection.session = acceptance.session
        connection.descriptor.limitSilence(milliseconds: max(limits.ping + limits.pong, limits.stall))
        let encoding = FrameEncoding.eventStream(isChunked: acceptance.isChunked)
        enter(.eventStream, encoding, acceptance.sendQueueBytes, connection)
        statistics.eventStreams.count()
        service?.opened(connection)
        schedule(connection)
    }

    /// A sign of life that clients ignore.
    func sendComment(_ connection: Connection) {
        guard case .eventStream(let isChunked) = links[connection.token.slot].encoding else { return }
        enqueue(EventStreamBlock.comment(isChunked: isChunked), connection)
    }
}
