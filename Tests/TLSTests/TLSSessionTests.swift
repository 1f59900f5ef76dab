import COpenSSL
import Foundation
import Testing

@testable import TLS

@Suite("OpenSSL's client understands our side of TLS, and what it sends is understood")
struct TLSSessionTests {
    static let suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]

    /// A client and our session after their handshake, fed `step` bytes at a time.
    private final class Pair {
        let client: OpenSSLClient
        let server: TLSSession
        let buffers = TLSBuffers()
        var step: Int

        init(suite: String?, version: Int32 = TLS1_3_VERSION, step: Int = .max) throws {
            client = try #require(OpenSSLClient(suite: suite, version: version))
            server = try TLSSession(try Self.context(), buffers)
            self.step = step
            var isOver = false
            for _ in 0..<6 where !isOver {
                let clientIsOver = client.handshake()
                for part in parts(client.take()) where !part.isEmpty {
                    var part = part
                    isOver = try part.withUnsafeMutableBytes { bytes in
                        var rest = bytes
                        return try server.handshake(&rest)
                    }
                    client.feed(output())
                }
                isOver = isOver && (clientIsOver || client.handshake())
            }
            try #require(isOver)
            // Tickets.
            _ = client.read()
        }

        static func context() throws -> TLSContext {
            let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments =
                [
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes",
                ]
                + ["-days", "2", "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"]
            process.currentDirectoryURL = folder
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return try TLSContext(
                certificateFile: folder.appending(path: "certificate.pem").path,
                keyFile: folder.appending(path: "key.pem").path)
        }

        func parts(_ bytes: [UInt8]) -> [[UInt8]] {
            guard step < bytes.count else { return [bytes] }
            return stride(from: 0, to: bytes.count, by: step).map {
                Array(bytes[$0..<min($0 + step, bytes.count)])
            }
        }

        func output() -> [UInt8] {
            defer { buffers.output.clear() }
            return Array(buffers.output.bytes)
        }

        /// What our side reads of ciphertext; nil at its end once the stream has ended.
        func receive(_ ciphertext: [UInt8]) throws -> (bytes: [UInt8], hasEnded: Bool) {
            var all: [UInt8] = []
            let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 1)
            defer { target.deallocate() }
            for part in parts(ciphertext) {
                var part = part
                let hasEnded = try part.withUnsafeMutableBytes { bytes in
                    var rest = bytes
                    while let count = try server.read(&rest, into: target) {
                        if count == 0 { return true }
                        all += target[..<count]
                    }
                    return false
                }
                if hasEnded { return (all, true) }
            }
            return (all, false)
        }

        func send(_ bytes: [UInt8]) throws -> [UInt8] {
            try bytes.withUnsafeBytes { try server.write($0) }
            return output()
        }
    }

    private func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
    }

    private func exchange(_ pair: Pair, _ sizes: [Int]) throws {
        for size in sizes {
            let data = pattern(size)
            #expect(pair.client.write(data))
            #expect(try pair.receive(pair.client.take()).bytes == data)
            pair.client.feed(try pair.send(data))
            #expect(pair.client.read().bytes == data)
        }
    }

    @Test("Data both ways, whole and in pieces", arguments: suites, [Int.max, 1, 7, 1000])
    func data(suite: String, step: Int) throws {
        let pair = try Pair(suite: suite, step: step)
        try exchange(pair, [1, 2, 16_384, 16_385, 40_000, 0, 5])
    }

    @Test("TLS 1.2 too, on OpenSSL's own records", arguments: [Int.max, 1])
    func older(step: Int) throws {
        let pair = try Pair(suite: nil, version: TLS1_2_VERSION, step: step)
        try exchange(pair, [1, 16_385, 5])
    }

    @Test("Key updates of both kinds, again and again", arguments: suites)
    func keyUpdates(suite: String) throws {
        let pair = try Pair(suite: suite)
        for kind in [SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_REQUESTED] {
            #expect(SSL_key_update(pair.client.ssl, kind) == 1)
            try exchange(pair, [100, 20_000])
            // Our answer to a request is in what the client reads next.
            pair.client.feed(pair.output())
            try exchange(pair, [3])
        }
    }

    @Test("Either side ends the stream by close_notify")
    func closing() throws {
        let pair = try Pair(suite: nil)
        #expect(pair.client.write([1, 2, 3]))
        SSL_shutdown(pair.client.ssl)
        let received = try pair.receive(pair.client.take())
        #expect(received.bytes == [1, 2, 3] && received.hasEnded)
        pair.server.close()
        pair.client.feed(pair.output())
        #expect(pair.client.read().error == SSL_ERROR_ZERO_RETURN)
    }

    @Test(
        "A record with any byte changed is refused, and the client is told bad_record_mac",
        arguments: [5, 9, 20, 40])
    func tampered(place: Int) throws {
        let pair = try Pair(suite: nil)
        #expect(pair.client.write(pattern(20)))
        var record = pair.client.take()
        record[place] ^= 1
        #expect(throws: TLSFailure.self) { try pair.receive(record) }
        pair.client.feed(pair.output())
        #expect(pair.client.read().error == SSL_ERROR_SSL)
        #expect(pair.client.lastAlert() == 20)
    }

    @Test(
        "A record that breaks the record layer's rules is refused by its alert",
        arguments: [
            ("too long", [23, 3, 3, 0x41, 0x01], 22), ("a handshake in the clear", [22, 3, 3, 0, 4], 10),
            ("an alert in the clear", [21, 3, 3, 0, 2], 10),
            ("too short to be sealed", [23, 3, 3, 0, 5, 1, 2, 3, 4, 5], 20),
        ] as [(String, [UInt8], Int)])
    func violations(name: String, record: [UInt8], alert: Int) throws {
        let pair = try Pair(suite: nil)
        #expect(throws: TLSFailure.self, "\(name)") { try pair.receive(record) }
        pair.client.feed(pair.output())
        #expect(pair.client.read().error == SSL_ERROR_SSL)
        #expect(pair.client.lastAlert() == alert, "\(name)")
    }

    @Test("A record replayed is refused: its number is used up")
    func replayed() throws {
        let pair = try Pair(suite: nil)
        #expect(pair.client.write([1]))
        let record = pair.client.take()
        #expect(try pair.receive(record).bytes == [1])
        #expect(throws: TLSFailure.self) { try pair.receive(record) }
    }

    @Test("RFC 8448 section 3: the server's application key and IV come from its traffic secret")
    func keySchedule() {
        let secret = bytes("a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643")
        var keys = TrafficKeys(suite: .aes128GCM, secret: secret)
        let key = (0..<16).map { keys.key[$0] }
        #expect(key == bytes("9f02283b6c9c07efc26bb9f2ac92e356"))
        // The nonce of record 0 is the IV.
        let nonce = keys.nextNonce()
        #expect((0..<12).map { nonce[$0] } == bytes("cf782b88dd83549aadf1e984"))
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }
}
