import Broadcast
import EventLoop
import LinuxSystem
import TLS
import WebSocket

extension TransportLoop {
    /// Sends a message to one connection, behind what waits.
    public func send(_ message: DirectMessage, to connection: Connection) {
        guard connection.isOpen else { return }
        enqueue(links[connection.token.slot].encoding.encode(message), connection)
    }

    /// Sends a WebSocket message back as it came, deflated where that was negotiated.
    public func echo(_ payload: [UInt8], _ opcode: Opcode, to connection: Connection) {
        guard connection.isOpen else { return }
        let encoding = links[connection.token.slot].encoding
        enqueue(encoding.encode(payload, deflater, opcode), connection)
    }

    /// Sends an event to one connection, behind what waits, for a replay. It is not shed: whoever replays
    /// waits while the connection is busy instead, so that a replay has no gaps.
    public func send(_ publication: Publication, to connection: Connection) {
        guard connection.isOpen else { return }
        let slot = connection.token.slot
        links[slot].eventsSent += 1
        statistics.eventFrames.count()
        enqueue(publication.frame(links[slot].encoding, deflater), connection)
    }

    /// Whether a replay should wait until the connection has taken more; once it has, the loop takes another
    /// turn.
    public func isBusy(_ connection: Connection) -> Bool {
        connection.queue?.isOverQuarter ?? false
    }

    /// Closes a WebSocket: the close frame goes behind what waits, then the peer's is awaited. An event
    /// stream ends behind what waits, and the connection with it.
    public func close(_ connection: Connection, _ code: CloseCode, _ reason: String) {
        guard connection.isOpen, let last = lastWord(connection, code, reason) else { return }
        if !last.isEmpty { enqueue(last, connection) }
        let isEventStream = connection.phase == .eventStream
        connection.phaseSince = now
        end(connection, code)
        if isEventStream { finish(connection) }
        schedule(connection)
    }

    /// What is sent last to a WebSocket or event stream; nil where it was sent before.
    private func lastWord(_ connection: Connection, _ code: CloseCode, _ reason: String) -> [UInt8]? {
        switch links[connection.token.slot].encoding {
        case .plain, .deflate: connection.closing.begin(code, reason)
        case .eventStream(let isChunked): EventStreamBlock.end(isChunked: isChunked)
        }
    }

    /// Bytes that must arrive.
    func enqueue(_ bytes: [UInt8], _ connection: Connection) {
        let queue = queue(of: connection)
        queue.append(bytes)
        statistics.bytesQueued.count(bytes.count)
        if queue.isFull { closeSlowConsumer(connection) }
    }

    /// The rest of a frame that the socket took only the beginning of.
    func enqueue(_ frame: [UInt8], writtenAlready: Int, _ connection: Connection) {
        queue(of: connection).append(frame, writtenAlready: writtenAlready)
        statistics.bytesQueued.count(frame.count - writtenAlready)
    }

    /// An event's frame, behind what waits.
    func enqueue(_ publication: Publication, _ frame: [UInt8], _ connection: Connection) {
        let queue = queue(of: connection)
        let before = queue.byteCount
        if let loss = queue.append(frame, publication.position, publication.severity) {
            links[connection.token.slot].eventsDropped += UInt64(loss.total)
            links[connection.token.slot].eventsSent -= UInt64(loss.total)
            service?.shed(loss, connection)
        }
        statistics.bytesQueued.count(queue.byteCount - before)
        if queue.isFull { closeSlowConsumer(connection) }
    }

    private func queue(of connection: Connection) -> SendQueue {
        markDirty(connection)
        if let queue = connection.queue { return queue }
        let queue = SendQueue(limit: connection.isOpen ? connection.sendQueueBytes ?? .max : .max)
        connection.queue = queue
        connection.lastProgress = now
        setPath(connection)
        schedule(connection)
        return queue
    }

    /// Tells a consumer that is too slow why it is closed, in place of all that waits.
    func closeSlowConsumer(_ connection: Connection) {
        guard connection.isOpen, let queue = connection.queue else { return drop(connection) }
        guard let last = lastWord(connection, .slowConsumer, "slow consumer") else { return }
        statistics.bytesQueued.count(-queue.byteCount)
        queue.replaceAll(with: last)
        statistics.bytesQueued.count(queue.byteCount)
        end(connection, .slowConsumer)
        connection.lastProgress = now
        finish(connection)
    }

    /// The service is told that a WebSocket or event stream is over; once.
    func end(_ connection: Connection, _ code: CloseCode) {
        guard connection.isOpen else { return }
        connection.isOpen = false
        setPath(connection)
        if connection.phase == .eventStream {
            statistics.eventStreams.count(-1)
        } else {
            statistics.webSockets.count(-1)
        }
        service?.ended(connection, code)
        connection.session = nil
    }

    /// Ends our side once all that waits is written.
    func finish(_ connection: Connection) {
        guard connection.phase != .lingering, connection.phase != .draining else { return }
        connection.phase = .draining
        connection.phaseSince = now
        connection.parser = nil
        connection.reader = nil
        markDirty(connection)
    }

    /// Cuts a connection.
    func drop(_ connection: Connection) {
        guard connections.remove(connection.token) != nil else { return }
        end(connection, .abnormalClosure)
        links[connection.token.slot] = Link()
        if connection.hasPlace { statistics.connections.count(-1) }
        if let queue = connection.queue { statistics.bytesQueued.count(-queue.byteCount) }
        for listener in listeners { resume(listener) }
    }

    // MARK: - To the socket

    /// Writes what the turn has queued, once per connection.
    func writeDirty() {
        // Writing may mark more: a queue that empties lets further requests be answered.
        var index = 0
        while index < dirty.count {
            if let connection = connections[dirty[index]] {
                connection.isDirty = false
                flush(connection)
            }
            index += 1
        }
        dirty.removeAll(keepingCapacity: true)
    }

    /// Writes as much as the socket takes, up to a mebibyte, so that one large answer does not hold up the
    /// rest.
    func flush(_ connection: Connection) {
        let wasBusy = isBusy(connection)
        guard flushUnsent(connection) else { return }
        for _ in 0..<16 where connection.unsent.isEmpty {
            guard let queue = connection.queue, !queue.isEmpty else { break }
            let before = queue.byteCount
            let encoding = links[connection.token.slot].encoding
            let count = queue.gather(into: gathered) { [service] loss in
                service.map { encoding.encode($0.gapMessage(loss)) } ?? []
            }
            // A gap that was told has become bytes that wait.
            statistics.bytesQueued.count(queue.byteCount - before)
            let bytes = UnsafeRawBufferPointer(rebasing: gathered[..<count])
            guard let taken = write(bytes, connection) else { return drop(connection) }
            queue.consume(taken)
            statistics.bytesQueued.count(-taken)
            if taken > 0 { connection.lastProgress = now }
            if taken < count { break }
        }
        // A replay that waits for this connection goes on; no readiness will tell it, where all is written.
        if wasBusy, !isBusy(connection) { serviceHasWork = true }
        if connection.queue?.isEmpty ?? false { connection.queue = nil }
        guard connection.hasUnsent else { return emptied(connection) }
        if connection.hasBacklog { answerRequests(connection) }
        setInterest(connection)
    }

    /// Everything is written.
    private func emptied(_ connection: Connection) {
        setPath(connection)
        switch connection.phase {
        case .http:
            connection.lastInput = now
            answerRequests(connection)
        case .draining:
            endOurSide(connection)
        case .handshake, .webSocket, .eventStream, .lingering:
            break
        }
        setInterest(connection)
    }

    private func endOurSide(_ connection: Connection) {
        if let tls = connection.tls {
            tls.close()
            guard sendOutput(connection) else { return }
        }
        if connection.peerHasEnded { return drop(connection) }
        connection.descriptor.shutdownWriting()
        connection.phase = .lingering
        connection.phaseSince = now
        schedule(connection)
    }

    /// Gives plaintext to the socket: how much it took, or nil where the connection is lost. Through TLS
    /// everything is taken, and what the socket refuses waits as `unsent`.
    func write(_ bytes: UnsafeRawBufferPointer, _ connection: Connection) -> Int? {
        let taken: Int
        if let tls = connection.tls {
            do {
                try tls.write(bytes)
            } catch {
                tlsBuffers.output.clear()
                return nil
            }
            guard sendSealed(connection) else { return nil }
            taken = bytes.count
        } else {
            let sent = sendNow(connection.descriptor.raw, bytes)
            guard sent >= 0 || isWouldBlock() else { return nil }
            taken = max(0, sent)
        }
        statistics.bytesSent.count(taken)
        return taken
    }

    /// Sends what TLS left in its output, for what came in; false where the connection is gone.
    func sendOutput(_ connection: Connection) -> Bool {
        if tlsBuffers.output.count == 0 { return true }
        guard sendSealed(connection) else {
            drop(connection)
            return false
        }
        if connection.hasUnsent {
            setPath(connection)
            schedule(connection)
        }
        setInterest(connection)
        return true
    }

    private func sendSealed(_ connection: Connection) -> Bool {
        let output = tlsBuffers.output
        defer { output.clear() }
        var rest = UnsafeRawBufferPointer(output.bytes)
        if connection.unsent.isEmpty {
            let sent = sendNow(connection.descriptor.raw, rest)
            guard sent >= 0 || isWouldBlock() else { return false }
            rest = UnsafeRawBufferPointer(rebasing: rest[max(0, sent)...])
            if rest.isEmpty { return true }
            if !connection.hasUnsent { connection.lastProgress = now }
        }
        connection.unsent.append(contentsOf: rest)
        // Plaintext is sealed only while nothing waits, so more than one turn's worth is the peer asking for
        // answers (key updates) that it does not read.
        return connection.unsent.count <= 1 << 18
    }

    /// Whether nothing sealed waits any more; false also where the connection is gone.
    private func flushUnsent(_ connection: Connection) -> Bool {
        guard !connection.unsent.isEmpty else { return true }
        let sent = connection.unsent.withUnsafeBytes { sendNow(connection.descriptor.raw, $0) }
        guard sent >= 0 || isWouldBlock() else {
            drop(connection)
            return false
        }
        if sent > 0 {
            connection.unsent.removeFirst(sent)
            connection.lastProgress = now
        }
        if !connection.unsent.isEmpty { setInterest(connection) }
        return connection.unsent.isEmpty
    }

    // MARK: - Keeping track

    /// Watches for what can be acted on: writing while something waits, reading while the peer is not ahead
    /// of us.
    func setInterest(_ connection: Connection) {
        guard connections[connection.token] != nil else { return }
        var interest: Readiness = []
        if connection.hasUnsent { interest.insert(.writable) }
        let waiting = connection.queue?.byteCount ?? 0
        let isFarBehind = connection.sendQueueBytes == nil && waiting >= Self.readPauseBytes
        let isBehind = connection.hasBacklog || isFarBehind
        if connection.mayTakeRequest, !isBehind, !connection.peerHasEnded { interest.insert(.readable) }
        guard interest != connection.interest else { return }
        do {
            try loop.rewatch(connection.descriptor.raw, interest, token: connection.token.number)
            connection.interest = interest
        } catch {
            drop(connection)
        }
    }

    func setPath(_ connection: Connection) {
        let slot = connection.token.slot
        if !connection.isOpen {
            links[slot].path = .none
        } else if connection.hasUnsent {
            links[slot].path = .queued
        } else {
            links[slot].path = connection.tls == nil ? .plain : .sealed
        }
    }
}
