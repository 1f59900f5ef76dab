import COpenSSL
import Glibc
import LinuxSystem
import WebSocket

/// The reference that the gateway is measured against: the least that an epoll loop does to send one message
/// to all.
///
/// A GET with a Sec-WebSocket-Key is upgraded and subscribed; the content of a POST is framed once and goes
/// to every subscriber, in the order they came, by one `send()` each, or one `SSL_write` with TLS. There are
/// no filters, queues by severity, time limits or bounds: almost all of its time is the kernel's, so a
/// server that makes one write for each message and connection cannot be much cheaper.
final class Floor {
    private enum State: UInt8 {
        case free, shaking, requesting, subscribed
    }

    /// Plain data, so that the table of them costs no reference counting.
    private struct Peer {
        var ssl: OpaquePointer?
        var state = State.free
        var hasUnsent = false
    }

    private static let listenerToken = UInt64.max

    private let epoll: Epoll
    private let listener: ListeningSocket
    private let tls: OpaquePointer?
    /// By descriptor.
    private let peers: UnsafeMutableBufferPointer<Peer>
    private var subscribers: [Int32] = []
    /// Requests that are not whole yet, and what sockets did not take: rare, so kept apart from the peers.
    private var requests: [Int32: [UInt8]] = [:]
    private var unsent: [Int32: [UInt8]] = [:]
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

    /// Listens on the loopback address; with TLS where a certificate is given.
    init(port: Int, certificate: Certificate?) throws {
        peers = .allocate(capacity: raiseDescriptorLimit())
        peers.initialize(repeating: Peer())
        epoll = try Epoll(capacity: 512)
        listener = try ListeningSocket(host: "127.0.0.1", port: port)
        tls = try certificate.map(Self.tlsContext)
        try epoll.add(listener.raw, .readable, token: Self.listenerToken)
    }

    deinit {
        peers.deallocate()
        input.deallocate()
        SSL_CTX_free(tls)
    }

    private static func tlsContext(_ certificate: Certificate) throws -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_server_method()),
            openssl_set_min_version(context, TLS1_3_VERSION) == 1,
            SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1,
            SSL_CTX_use_certificate_chain_file(context, certificate.certificateFile) == 1,
            SSL_CTX_use_PrivateKey_file(context, certificate.keyFile, SSL_FILETYPE_PEM) == 1
        else { throw BenchmarkError("OpenSSL refuses \(certificate.certificateFile)") }
        let mode =
            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        _ = openssl_set_mode(context, Int(mode))
        _ = openssl_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        SSL_CTX_set_num_tickets(context, 0)
        return context
    }

    /// Serves until the process is ended.
    func run() throws -> Never {
        while true {
            for index in 0..<(try epoll.wait(milliseconds: -1)) {
                let (token, readiness) = epoll.ready(index)
                if token == Self.listenerToken {
                    try acceptAll()
                    continue
                }
                let descriptor = Int32(token)
                if readiness.contains(.writable) { flush(descriptor) }
                if readiness != .writable { read(descriptor) }
            }
        }
    }

    private func acceptAll() throws {
        while case .connection(let descriptor, _) = try listener.accept() {
            guard Int(descriptor) < peers.count else {
                close(descriptor)
                continue
            }
            var peer = Peer(state: .requesting)
            if let tls {
                peer.ssl = SSL_new(tls)
                peer.state = .shaking
                SSL_set_fd(peer.ssl, descriptor)
                SSL_set_accept_state(peer.ssl)
            }
            peers[Int(descriptor)] = peer
            try epoll.add(descriptor, .readable, token: UInt64(descriptor))
        }
    }

    private func drop(_ descriptor: Int32) {
        let peer = peers[Int(descriptor)]
        SSL_free(peer.ssl)
        if peer.state == .subscribed { subscribers.removeAll { $0 == descriptor } }
        requests[descriptor] = nil
        unsent[descriptor] = nil
        peers[Int(descriptor)] = Peer()
        close(descriptor)
    }

    // MARK: Writing

    private func publish(_ payload: ArraySlice<UInt8>) {
        Frame.encode(.text, payload).withUnsafeBytes { frame in
            for descriptor in subscribers { send(frame, to: descriptor) }
        }
    }

    @inline(__always)
    private func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) {
        let peer = peers[Int(descriptor)]
        let sent = peer.hasUnsent ? 0 : write(bytes, to: descriptor, peer.ssl)
        if sent != bytes.count { keepRest(bytes, sent, of: descriptor) }
    }

    /// Bytes taken; 0 where the call would block, -1 where the connection is lost.
    @inline(__always)
    private func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ ssl: OpaquePointer?) -> Int {
        guard let ssl else {
            let sent = sendNow(descriptor, bytes)
            return sent < 0 && isWouldBlock() ? 0 : sent
        }
        let sent = SSL_write(ssl, bytes.baseAddress, Int32(bytes.count))
        if sent > 0 { return Int(sent) }
        let wouldBlock = SSL_get_error(ssl, sent) == SSL_ERROR_WANT_WRITE
        ERR_clear_error()
        return wouldBlock ? 0 : -1
    }

    private func keepRest(_ bytes: UnsafeRawBufferPointer, _ sent: Int, of descriptor: Int32) {
        guard sent >= 0, watch(descriptor, [.readable, .writable]) else {
            // The loop sees the end of the stream and drops it, when nobody iterates over the subscribers.
            shutdown(descriptor, Int32(SHUT_RDWR))
            return
        }
        unsent[descriptor, default: []].append(contentsOf: bytes[sent...])
        peers[Int(descriptor)].hasUnsent = true
    }

    private func flush(_ descriptor: Int32) {
        guard let rest = unsent.removeValue(forKey: descriptor) else { return }
        peers[Int(descriptor)].hasUnsent = false
        guard watch(descriptor, .readable) else { return }
        rest.withUnsafeBytes { send($0, to: descriptor) }
    }

    private func watch(_ descriptor: Int32, _ interest: Readiness) -> Bool {
        (try? epoll.modify(descriptor, interest, token: UInt64(descriptor))) != nil
    }

    // MARK: Reading

    private func read(_ descriptor: Int32) {
        let peer = peers[Int(descriptor)]
        if peer.state == .shaking {
            let result = SSL_accept(peer.ssl)
            guard result == 1 else {
                let waits = SSL_get_error(peer.ssl, result) == SSL_ERROR_WANT_READ
                ERR_clear_error()
                return waits ? () : drop(descriptor)
            }
            peers[Int(descriptor)].state = .requesting
        }
        while peers[Int(descriptor)].state != .free {
            let count: Int
            let waits: Bool
            if let ssl = peer.ssl {
                let result = SSL_read(ssl, input.baseAddress, Int32(input.count))
                waits = result <= 0 && SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ
                ERR_clear_error()
                count = Int(result)
            } else {
                count = recv(descriptor, input.baseAddress, input.count, Int32(MSG_DONTWAIT))
                waits = count < 0 && isWouldBlock()
            }
            if waits { return }
            guard count > 0 else { return drop(descriptor) }
            receive(UnsafeRawBufferPointer(rebasing: input[..<count]), from: descriptor)
        }
    }

    /// What subscribers send is ignored: a pong, or a close frame before the end of the stream.
    private func receive(_ bytes: UnsafeRawBufferPointer, from descriptor: Int32) {
        guard peers[Int(descriptor)].state == .requesting else { return }
        var request = requests.removeValue(forKey: descriptor) ?? []
        request.append(contentsOf: bytes)
        var rest = request[...]
        while let head = HTTPHead(rest), rest.count >= head.length + head.contentLength {
            let content = rest.dropFirst(head.length).prefix(head.contentLength)
            rest = rest.dropFirst(head.length + head.contentLength)
            guard answer(head, content, descriptor) else { return drop(descriptor) }
        }
        if !rest.isEmpty { requests[descriptor] = Array(rest) }
    }

    private func answer(_ head: HTTPHead, _ content: ArraySlice<UInt8>, _ descriptor: Int32) -> Bool {
        let response: String
        if head.firstLine.hasPrefix("POST ") {
            publish(content)
            response = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"
        } else if let key = head.field("sec-websocket-key") {
            subscribers.append(descriptor)
            peers[Int(descriptor)].state = .subscribed
            response =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Accept: \(Handshake.acceptKey(for: key))\r\n\r\n"
        } else {
            return false
        }
        Array(response.utf8).withUnsafeBytes { send($0, to: descriptor) }
        return true
    }
}
