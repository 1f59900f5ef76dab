import EventLoop
import HTTP
import LinuxSystem
import TLS

/// A listening socket of one loop.
final class Listener {
    let socket: ListeningSocket
    let isTLS: Bool
    let token: UInt64
    var isPaused = false

    init(_ socket: consuming ListeningSocket, isTLS: Bool, token: UInt64) {
        self.socket = socket
        self.isTLS = isTLS
        self.token = token
    }
}

extension TransportLoop {
    /// How long a listener rests that found no descriptor left, in milliseconds.
    private static let pause: UInt64 = 100
    private static let firstListenerSlot = UInt32.max - 64

    /// Takes connections from that socket.
    public func listen(on socket: consuming ListeningSocket, isTLS: Bool) throws(SystemCallError) {
        let slot = Self.firstListenerSlot + UInt32(listeners.count)
        let token = SlotToken(slot: slot, generation: .max).number
        let listener = Listener(socket, isTLS: isTLS, token: token)
        try loop.watch(listener.socket.raw, .readable, token: token)
        listeners.append(listener)
    }

    func accept(from listener: Listener) {
        for _ in 0..<Self.acceptsPerTurn {
            let acceptance: Acceptance
            do {
                acceptance = try listener.socket.accept()
            } catch {
                // Not a matter of this connection or of descriptors: rest, and try again.
                return pause(listener)
            }
            switch acceptance {
            case .connection(let raw, let peer): open(FileDescriptor(owning: raw), peer, listener)
            case .aborted: continue
            case .wouldBlock: return
            case .exhausted: return pause(listener)
            }
        }
    }

    /// Leaves newcomers in the backlog for a moment; those who are connected are served meanwhile.
    private func pause(_ listener: Listener) {
        guard !listener.isPaused else { return }
        do {
            try loop.rewatch(listener.socket.raw, [], token: listener.token)
        } catch {
            return  // It stays watched, and the next turn comes back here.
        }
        listener.isPaused = true
        statistics.acceptPauses.count()
        loop.schedule(listener.token, at: now + Self.pause)
    }

    func resume(_ listener: Listener) {
        guard listener.isPaused else { return }
        listener.isPaused = false
        do {
            try loop.rewatch(listener.socket.raw, .readable, token: listener.token)
        } catch {
            pause(listener)
        }
    }

    private func open(_ descriptor: consuming FileDescriptor, _ peer: PeerAddress, _ listener: Listener) {
        let raw = descriptor.raw
        let places = statistics.connections.add(1, ordering: .relaxed).newValue
        let hasPlace = places <= limits.maxConnections && acceptsNewcomers
        var tls: TLSSession?
        if listener.isTLS, hasPlace, let tlsContext { tls = try? TLSSession(tlsContext, tlsBuffers) }
        // Without a place there is no handshake, and so nothing that could be said to a TLS client: it is
        // cut.
        guard !listener.isTLS || tls != nil else {
            statistics.connections.count(-1)
            statistics.refused.count()
            return
        }
        var owned: FileDescriptor? = consume descriptor
        let token = connections.insert { token in
            // `insert` calls this once, so the descriptor is there.
            Connection(
                token: token, descriptor: owned.take() ?? FileDescriptor(owning: -1), peer: peer, tls: tls,
                limits: limits.http, now: now)
        }
        guard let connection = connections[token] else { return }
        links.reset(token.slot)
        links[token.slot].descriptor = raw
        do {
            try loop.watch(raw, .readable, token: token.number)
        } catch {
            return drop(connection)
        }
        loop.schedule(token.number, at: connection.deadline(limits))
        if !hasPlace { refuse(connection) }
    }

    /// Says that all places are taken, without waiting for what would be asked.
    private func refuse(_ connection: Connection) {
        statistics.refused.count()
        statistics.connections.count(-1)
        connection.hasPlace = false
        var response = ProblemDetails(
            status: 503, error: "UNAVAILABLE",
            detail: acceptsNewcomers
                ? "all \(limits.maxConnections) places are taken; try again later"
                : "the gateway is shutting down; try again"
        ).response
        response.fields.append("Retry-After", acceptsNewcomers ? "5" : "1")
        connection.keepsAlive = false
        respond(response, to: connection)
    }
}
