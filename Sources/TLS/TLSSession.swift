import COpenSSL

/// One connection's TLS as a transform: ciphertext in, plaintext out, and back. It touches no socket.
///
/// OpenSSL shakes hands. After a TLS 1.3 handshake its `SSL` object, 13 KiB a connection, is freed: what
/// remains are the two traffic keys, with which `RecordCipher` seals and opens records. A TLS 1.2 connection
/// keeps its object.
///
/// Whatever a call leaves in the loop's `TLSBuffers.output` is to be sent, also where it throws.
public final class TLSSession {
    private let buffers: TLSBuffers
    private var ssl: OpaquePointer?
    private var sending: TrafficKeys?
    private var receiving: TrafficKeys?
    /// The beginning of a record whose end has not come.
    private var partial: [UInt8] = []
    /// Records in a row that carried no data.
    private var datalessRecords = 0
    /// The application traffic secrets, from OpenSSL's key log, until they are keys.
    private var secrets: (client: [UInt8], server: [UInt8]) = ([], [])

    /// A connection whose handshake is to begin.
    public init(_ context: TLSContext, _ buffers: TLSBuffers) throws(TLSFailure) {
        guard let ssl = SSL_new(context.pointer) else {
            throw TLSFailure("out of memory: \(takeOpenSSLError())")
        }
        self.buffers = buffers
        self.ssl = ssl
        BIO_up_ref(buffers.readBIO)
        BIO_up_ref(buffers.writeBIO)
        SSL_set_bio(ssl, buffers.readBIO, buffers.writeBIO)
        SSL_set_accept_state(ssl)
        // Not retained: `ssl` is freed with this object.
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        SSL_free(ssl)
    }

    /// Goes on with the handshake; whether it is over. `input` is advanced by what was used.
    public func handshake(_ input: inout UnsafeMutableRawBufferPointer) throws(TLSFailure) -> Bool {
        guard let ssl else { return true }
        ERR_clear_error()
        let result = buffers.reading(&input) { SSL_do_handshake(ssl) }
        guard result == 1 else {
            if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return false }
            throw TLSFailure("handshake: \(takeOpenSSLError())")
        }
        if SSL_version(ssl) == TLS1_3_VERSION { takeOver(ssl) }
        return true
    }

    /// Whether the handshake resumed an earlier session. Known until the handshake is over.
    public private(set) var isResumed = false

    /// Sends session tickets, then continues without OpenSSL's connection object.
    private func takeOver(_ ssl: OpaquePointer) {
        isResumed = SSL_session_reused(ssl) == 1
        // Two tickets, as OpenSSL itself would send; all records of this flight are under the first server
        // key.
        let begin = buffers.output.count
        if SSL_new_session_ticket(ssl) == 1 {
            SSL_new_session_ticket(ssl)
            SSL_do_handshake(ssl)
        }
        ERR_clear_error()
        let ticketRecords = countRecords(UnsafeRawBufferPointer(buffers.output.bytes)[begin...])
        let number = SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl))
        guard let suite = CipherSuite(number: number), let ticketRecords, SSL_has_pending(ssl) == 0,
            secrets.client.count == suite.hashLength, secrets.server.count == suite.hashLength
        else { return }
        receiving = TrafficKeys(suite: suite, secret: secrets.client)
        var sending = TrafficKeys(suite: suite, secret: secrets.server)
        sending.skip(ticketRecords)
        self.sending = sending
        secrets = ([], [])
        SSL_free(ssl)
        self.ssl = nil
    }

    fileprivate func note(label: Substring, secret: [UInt8]) {
        switch label {
        case "CLIENT_TRAFFIC_SECRET_0": secrets.client = secret
        case "SERVER_TRAFFIC_SECRET_0": secrets.server = secret
        default: break  // Secrets of the handshake, the exporter and TLS 1.2: not ours to use.
        }
    }

    /// The next plaintext, into `target`, which has room for 16 KiB: how many bytes; 0 at the end of the
    /// stream; nil where all input is used up and more is needed.
    public func read(
        _ input: inout UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(TLSFailure) -> Int? {
        precondition(target.count >= RecordCipher.contentLimit)
        guard let ssl else { return try readRecord(&input, into: target) }
        ERR_clear_error()
        let count = buffers.reading(&input) {
            SSL_read(ssl, target.baseAddress, Int32(clamping: target.count))
        }
        guard count <= 0 else { return Int(count) }
        switch SSL_get_error(ssl, count) {
        case SSL_ERROR_WANT_READ: return nil
        case SSL_ERROR_ZERO_RETURN: return 0
        default: throw TLSFailure("read: \(takeOpenSSLError())")
        }
    }

    /// Seals plaintext into the loop's output, in records of at most 16 KiB.
    public func write(_ plaintext: UnsafeRawBufferPointer) throws(TLSFailure) {
        var rest = plaintext
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(RecordCipher.contentLimit))
            if let ssl {
                ERR_clear_error()
                guard SSL_write(ssl, part.baseAddress, Int32(part.count)) == part.count else {
                    throw TLSFailure("write: \(takeOpenSSLError())")
                }
            } else {
                seal(part, type: ContentType.applicationData)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    /// Tells the peer that nothing more will be sent (RFC 8446 6.1).
    public func close() {
        if let ssl {
            SSL_shutdown(ssl)
            ERR_clear_error()
        } else {
            sealAlert(level: 1, .closeNotify)
        }
    }

    private func seal(_ content: UnsafeRawBufferPointer, type: UInt8) {
        guard let suite = sending?.suite, let sequence = sending?.sequence else { return }
        if sequence >= suite.recordsPerKey { sendKeyUpdate() }
        // Optional chaining would copy the keys in and out.
        buffers.sealing.seal(content, type: type, &sending!, into: buffers.output)
    }

    /// Changes the key that we send under (RFC 8446 4.6.3), and asks for nothing in return.
    private func sendKeyUpdate() {
        guard sending != nil else { return }
        let message: [UInt8] = [HandshakeType.keyUpdate, 0, 0, 1, 0]
        message.withUnsafeBytes {
            buffers.sealing.seal($0, type: ContentType.handshake, &sending!, into: buffers.output)
        }
        sending?.update()
    }

    private func sealAlert(level: UInt8, _ alert: Alert) {
        let message: [UInt8] = [level, alert.rawValue]
        message.withUnsafeBytes { seal($0, type: ContentType.alert) }
    }
}

// Records after a TLS 1.3 handshake.
extension TLSSession {
    private enum ContentType {
        static let alert: UInt8 = 21
        static let handshake: UInt8 = 22
        static let applicationData: UInt8 = 23
    }

    /// A key update costs us far more than its sender; nobody needs many of them without data in between.
    private static let datalessLimit = 32

    private enum HandshakeType {
        static let keyUpdate: UInt8 = 24
    }

    /// Alerts that we send (RFC 8446 6).
    private enum Alert: UInt8 {
        case closeNotify = 0
        case unexpectedMessage = 10
        case badRecordMAC = 20
        case recordOverflow = 22
        case illegalParameter = 47
        case decodeError = 50
    }

    private func refuse(_ alert: Alert, _ reason: String) -> TLSFailure {
        sealAlert(level: 2, alert)
        return TLSFailure(reason)
    }

    private func readRecord(
        _ input: inout UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(TLSFailure) -> Int? {
        while true {
            // A record that came in parts is opened where its parts were put together.
            if !partial.isEmpty {
                guard try completePartial(&input) else { return nil }
                var record = partial
                partial = []
                var result: Result<Int?, TLSFailure> = .success(nil)
                record.withUnsafeMutableBytes { bytes in
                    do throws(TLSFailure) {
                        result = .success(try open(bytes, into: target))
                    } catch {
                        result = .failure(error)
                    }
                }
                if let count = try result.get() { return count }
                continue
            }
            guard !input.isEmpty else { return nil }
            guard let length = try recordLength(input), length <= input.count else {
                partial = Array(input)
                input = UnsafeMutableRawBufferPointer(rebasing: input[input.count...])
                return nil
            }
            let record = UnsafeMutableRawBufferPointer(rebasing: input[..<length])
            input = UnsafeMutableRawBufferPointer(rebasing: input[length...])
            if let count = try open(record, into: target) { return count }
        }
    }

    /// Takes from `input` what the record in `partial` lacks; whether it is whole then.
    private func completePartial(_ input: inout UnsafeMutableRawBufferPointer) throws(TLSFailure) -> Bool {
        while true {
            let length = try recordLength(partial) ?? RecordCipher.headerLength
            guard partial.count < length else { return true }
            guard !input.isEmpty else { return false }
            let count = min(length - partial.count, input.count)
            partial.append(contentsOf: input[..<count])
            input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
        }
    }

    /// The length of the record that begins there, header included; nil where its header is not whole.
    private func recordLength<Bytes: RandomAccessCollection<UInt8>>(
        _ bytes: Bytes
    ) throws(TLSFailure) -> Int? where Bytes.Index == Int {
        guard bytes.count >= RecordCipher.headerLength else { return nil }
        // Everything is under application keys now, and those records call themselves application data.
        guard bytes[0] == ContentType.applicationData, bytes[1] == 3 else {
            throw refuse(.unexpectedMessage, "a record of type \(bytes[0]) after the handshake")
        }
        let length = Int(bytes[3]) << 8 | Int(bytes[4])
        guard length <= RecordCipher.sealedLimit else {
            throw refuse(.recordOverflow, "a record of \(length) bytes")
        }
        return RecordCipher.headerLength + length
    }

    /// Opens a record; the bytes of plaintext it put into `target`, 0 at the end of the stream, nil where it
    /// carried none.
    private func open(
        _ record: UnsafeMutableRawBufferPointer, into target: UnsafeMutableRawBufferPointer
    ) throws(TLSFailure) -> Int? {
        datalessRecords += 1
        guard datalessRecords <= Self.datalessLimit else {
            throw refuse(.unexpectedMessage, "\(datalessRecords) records without data")
        }
        guard receiving != nil, let (type, content) = buffers.opening.open(record, &receiving!) else {
            throw refuse(.badRecordMAC, "a record that is not authentic")
        }
        // RFC 8446 5.2. Before anything is copied: `target` has room for no more.
        guard content.count <= RecordCipher.contentLimit else {
            throw refuse(.recordOverflow, "\(content.count) bytes in one record")
        }
        switch type {
        case ContentType.applicationData:
            if content.isEmpty { return nil }
            datalessRecords = 0
            target.copyMemory(from: UnsafeRawBufferPointer(content))
            return content.count
        case ContentType.handshake:
            try receiveKeyUpdate(content)
            return nil
        case ContentType.alert:
            guard content.count == 2 else { throw refuse(.decodeError, "an alert of \(content.count) bytes") }
            if content[1] == Alert.closeNotify.rawValue { return 0 }
            throw TLSFailure("the peer's alert \(content[1])")
        default:
            throw refuse(.unexpectedMessage, "content of type \(type)")
        }
    }

    /// RFC 8446 4.6.3. It is the only handshake message that a client may send now, and since the key changes
    /// after it, the only one in its record (5.1).
    private func receiveKeyUpdate(_ content: UnsafeMutableRawBufferPointer) throws(TLSFailure) {
        guard content.count == 5, content[0] == HandshakeType.keyUpdate, content[1] == 0, content[2] == 0,
            content[3] == 1
        else { throw refuse(.unexpectedMessage, "a handshake message other than a key update") }
        guard content[4] <= 1 else {
            throw refuse(.illegalParameter, "a key update that asks for \(content[4])")
        }
        receiving?.update()
        if content[4] == 1 { sendKeyUpdate() }
    }
}

/// Whole records in a flight; nil where something else is in it.
private func countRecords(_ flight: Slice<UnsafeRawBufferPointer>) -> UInt64? {
    var rest = flight
    var count: UInt64 = 0
    while !rest.isEmpty {
        let start = rest.startIndex
        guard rest.count >= RecordCipher.headerLength, rest[start] == 23 else { return nil }
        let length = RecordCipher.headerLength + Int(rest[start + 3]) << 8 + Int(rest[start + 4])
        guard rest.count >= length else { return nil }
        rest = rest.dropFirst(length)
        count += 1
    }
    return count
}

/// One line of OpenSSL's key log: label, client random, secret in hexadecimal.
func noteSecret(_ ssl: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line, let data = SSL_get_ex_data(ssl, 0) else { return }
    let parts = String(cString: line).split(separator: " ")
    guard parts.count == 3 else { return }
    var secret: [UInt8] = []
    var digits = parts[2].utf8.makeIterator()
    while let high = digits.next(), let low = digits.next() {
        guard let byte = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) else { return }
        secret.append(byte)
    }
    Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue().note(label: parts[0], secret: secret)
}
