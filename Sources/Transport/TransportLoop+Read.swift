import Broadcast
import HTTP
import LinuxSystem
import TLS
import WebSocket

extension TransportLoop {
    /// Reads once what the socket has; level-triggered readiness brings the rest.
    func read(_ connection: Connection) {
        if connection.phase == .handshake {
            guard handshakesThisTurn < Self.handshakesPerTurn else { return }
            handshakesThisTurn += 1
        }
        switch connection.descriptor.read(into: received) {
        case .moved(let count):
            var input = UnsafeMutableRawBufferPointer(rebasing: received[..<count])
            connection.lastInput = now
            connection.pingedAt = nil
            if connection.tls != nil {
                open(&input, connection)
            } else {
                take(input, connection)
            }
        case .wouldBlock:
            break
        case .endOfStream:
            endOfStream(connection)
        case .failed:
            drop(connection)
        }
    }

    /// Takes ciphertext apart.
    private func open(_ input: inout UnsafeMutableRawBufferPointer, _ connection: Connection) {
        guard let tls = connection.tls else { return }
        do throws(TLSFailure) {
            if connection.phase == .handshake {
                let isOver = try tls.handshake(&input)
                guard sendOutput(connection), isOver else { return }
                statistics.handshakes.count()
                connection.phase = .http
                connection.phaseSince = now
            }
            while let count = try tls.read(&input, into: plaintext) {
                guard sendOutput(connection) else { return }
                // RFC 8446 6.1: close_notify ends one direction only.
                if count == 0 { return endOfStream(connection) }
                take(UnsafeMutableRawBufferPointer(rebasing: plaintext[..<count]), connection)
                guard connections[connection.token] != nil else { return }
            }
            _ = sendOutput(connection)
        } catch {
            if connection.phase == .handshake { statistics.failedHandshakes.count() }
            // The alert that tells the peer why, if there is one.
            if sendOutput(connection) { drop(connection) }
        }
    }

    /// The peer will send no more. Over HTTP it may still wait for its answers.
    private func endOfStream(_ connection: Connection) {
        let isAnswering = connection.phase == .http || connection.phase == .draining
        let isOurTurn = connection.isAwaitingAnswer || connection.hasBacklog
        guard isAnswering, connection.hasUnsent || isOurTurn else { return drop(connection) }
        connection.peerHasEnded = true
        if !isOurTurn { finish(connection) }
        setInterest(connection)
    }

    private func take(_ input: UnsafeMutableRawBufferPointer, _ connection: Connection) {
        switch connection.phase {
        case .http:
            // The first byte of a request starts its clock.
            if connection.parser?.phase == .idle { connection.phaseSince = now }
            connection.parser?.append(UnsafeRawBufferPointer(input))
            answerRequests(connection)
        case .webSocket:
            readFrames(input, connection)
        case .handshake, .eventStream, .draining, .lingering:
            break
        }
    }

    // MARK: - HTTP

    /// Answers the requests that are whole, in order, until one must wait.
    func answerRequests(_ connection: Connection) {
        while connection.phase == .http, connection.mayTakeRequest,
            connection.queue.map({ $0.byteCount < Self.readPauseBytes }) ?? true
        {
            let before = connection.parser?.phase
            do throws(HTTPViolation) {
                switch try connection.parser?.next() {
                case .request(let request):
                    connection.phaseSince = now
                    if let pipeline = connection.pipeline, !(service?.mayBeSideBySide(request) ?? false) {
                        pipeline.hold(request)
                    } else {
                        answer(request, connection)
                    }
                case .continueExpected:
                    enqueue(HTTPResponse.continue100, connection)
                case nil:
                    connection.hasBacklog = false
                    if connection.peerHasEnded, !connection.isAwaitingAnswer { return finish(connection) }
                    if before == .head, connection.parser?.phase == .body { connection.phaseSince = now }
                    return schedule(connection)
                }
            } catch {
                statistics.badRequests.count()
                connection.answersHEAD = false
                connection.keepsAlive = false
                return answered(ProblemDetails(error).response, connection)
            }
        }
        // Whatever is left in the parser waits until the peer has taken more, and nothing is added to it.
        connection.hasBacklog = connection.phase == .http
        setInterest(connection)
    }

    private func answer(_ request: HTTPRequest, _ connection: Connection) {
        connection.answersHEAD = request.method == "HEAD"
        connection.keepsAlive = request.keepAlive && acceptsNewcomers
        connection.requestNumber += 1
        switch service?.respond(to: request, from: connection) {
        case .response(let response): answered(response, connection)
        case .later:
            let pipeline = connection.pipeline ?? Pipeline()
            connection.pipeline = pipeline
            pipeline.add(
                connection.requestNumber, toHEAD: connection.answersHEAD, keepsAlive: connection.keepsAlive,
                mayBeFollowed: service?.mayBeSideBySide(request) ?? false)
        case .webSocket(let acceptance): upgrade(connection, acceptance)
        case .eventStream(let acceptance): beginEventStream(connection, acceptance)
        case nil: drop(connection)
        }
    }

    /// The answer to the newest request: queued, or kept until those before it have theirs.
    private func answered(_ response: HTTPResponse, _ connection: Connection) {
        guard let pipeline = connection.pipeline else { return respond(response, to: connection) }
        pipeline.add(
            connection.requestNumber, toHEAD: connection.answersHEAD, keepsAlive: connection.keepsAlive,
            mayBeFollowed: true, response: response)
    }

    /// Queues an answer, and ends our side behind it where the connection is not kept.
    func respond(_ response: HTTPResponse, to connection: Connection) {
        var bytes: [UInt8] = []
        response.serialize(
            into: &bytes, date: dateField(), toHEAD: connection.answersHEAD, keepAlive: connection.keepsAlive)
        enqueue(bytes, connection)
        if !connection.keepsAlive { finish(connection) }
    }

    /// Answers the request of that number, for which the service said `later`. The connection may be gone by
    /// then.
    public func complete(_ connection: Connection, _ number: Int, _ response: HTTPResponse) {
        guard connections[connection.token] === connection, let pipeline = connection.pipeline,
            pipeline.answer(number, response)
        else { return }
        connection.lastInput = now
        while let next = pipeline.next() {
            connection.answersHEAD = next.toHEAD
            connection.keepsAlive = next.keepsAlive
            respond(next.response, to: connection)
        }
        if pipeline.isOver {
            connection.pipeline = nil
            if let held = pipeline.held, connection.phase == .http { answer(held, connection) }
        }
        answerRequests(connection)
    }

    // MARK: - WebSocket

    private func upgrade(_ connection: Connection, _ acceptance: WebSocketAcceptance) {
        var head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        head += "Sec-WebSocket-Accept: \(acceptance.acceptKey)\r\n"
        if let subprotocol = acceptance.subprotocol { head += "Sec-WebSocket-Protocol: \(subprotocol)\r\n" }
        if let deflate = acceptance.deflate {
            head += "Sec-WebSocket-Extensions: \(deflate.responseHeader)\r\n"
        }
        head += "\r\n"
        enqueue(Array(head.utf8), connection)
        connection.reader = WebSocketReader(
            role: .server, maxMessageBytes: acceptance.maxMessageBytes,
            maxInflatedBytes: acceptance.maxInflatedBytes, deflate: acceptance.deflate)
        let encoding = acceptance.deflate.map {
            FrameEncoding.deflate(windowBits: UInt8($0.serverMaxWindowBits))
        }
        connection.session = acceptance.session
        enter(.webSocket, encoding ?? .plain, acceptance.sendQueueBytes, connection)
        statistics.webSockets.count()
        var early = connection.parser?.takeRemainder() ?? []
        connection.parser = nil
        service?.opened(connection)
        schedule(connection)
        early.withUnsafeMutableBytes { if !$0.isEmpty { readFrames($0, connection) } }
    }

    /// From here on events may be sent.
    func enter(
        _ phase: Connection.Phase, _ encoding: FrameEncoding, _ sendQueueBytes: Int?, _ connection: Connection
    ) {
        // Answers may wait before the stream; from here on its own bound holds.
        if let sendQueueBytes { connection.queue?.limit = sendQueueBytes }
        connection.sendQueueBytes = sendQueueBytes
        connection.phase = phase
        connection.phaseSince = now
        connection.isOpen = true
        links[connection.token.slot].encoding = encoding
        setPath(connection)
    }

    private func readFrames(_ input: UnsafeMutableRawBufferPointer, _ connection: Connection) {
        var rest = input
        do throws(ProtocolViolation) {
            while let event = try connection.reader?.next(&rest, inflater: inflater) {
                switch event {
                case .message(let opcode, let payload):
                    if connection.isOpen { service?.received(payload, opcode, from: connection) }
                case .ping(let payload):
                    if connection.isOpen { enqueue(Frame.encode(.pong, payload), connection) }
                case .pong:
                    break
                case .close(let code, _):
                    return receivedClose(code, connection)
                }
                guard connections[connection.token] != nil else { return }
            }
        } catch {
            let frame = connection.closing.fail(error)
            end(connection, error.closeCode)
            if let frame { enqueue(frame, connection) }
            finish(connection)
        }
        setInterest(connection)
    }

    private func receivedClose(_ code: CloseCode?, _ connection: Connection) {
        let answer = connection.closing.receive(code)
        end(connection, code ?? .noStatus)
        if let answer { enqueue(answer, connection) }
        finish(connection)
    }
}
