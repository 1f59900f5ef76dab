import Testing

@testable import TLS

@Suite("What is sealed opens again, once, and nothing else does (RFC 8446 section 5.2)")
struct RecordCipherTests {
    private static let suites: [CipherSuite] = [.aes128GCM, .aes256GCM, .chaCha20Poly1305]

    private func keys(_ suite: CipherSuite) -> TrafficKeys {
        TrafficKeys(suite: suite, secret: (0..<suite.hashLength).map { UInt8($0) })
    }

    private func seal(_ content: [UInt8], type: UInt8, _ keys: inout TrafficKeys) -> [UInt8] {
        let output = OutputBuffer(capacity: 64)
        content.withUnsafeBytes { RecordCipher().seal($0, type: type, &keys, into: output) }
        return Array(output.bytes)
    }

    private func open(_ record: [UInt8], _ keys: inout TrafficKeys) -> (type: UInt8, content: [UInt8])? {
        var record = record
        return record.withUnsafeMutableBytes { bytes in
            RecordCipher().open(bytes, &keys).map { ($0.type, Array($0.content)) }
        }
    }

    @Test("Each suite, record after record, across key updates", arguments: suites)
    func roundTrip(suite: CipherSuite) {
        var sending = keys(suite)
        var receiving = keys(suite)
        for size in [0, 1, 100, 16_384] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            let record = seal(content, type: 23, &sending)
            #expect(record.count == 5 + size + 1 + 16)
            let opened = open(record, &receiving)
            // Zeros at the end of the content are none of the padding's.
            #expect(opened?.type == 23 && opened?.content == content)
            sending.update()
            receiving.update()
        }
    }

    @Test("Padding is taken off; a record of padding alone has no type (5.4)", arguments: suites)
    func padding(suite: CipherSuite) {
        var sending = keys(suite)
        var receiving = keys(suite)
        // Content, its type, and the padding that follows are one plaintext: here "ab", type 23, three zeros.
        let padded = seal([97, 98, 23, 0, 0], type: 0, &sending)
        let opened = open(padded, &receiving)
        #expect(opened?.type == 23 && opened?.content == [97, 98])
        let onlyPadding = open(seal([0, 0, 0], type: 0, &sending), &receiving)
        #expect(onlyPadding?.type == 0 && onlyPadding?.content == [])
    }

    @Test("A record under another key, or with another number, does not open", arguments: suites)
    func wrongKeys(suite: CipherSuite) {
        var sending = keys(suite)
        let record = seal([1, 2, 3], type: 23, &sending)
        var later = keys(suite)
        later.skip(1)
        #expect(open(record, &later) == nil)
        var updated = keys(suite)
        updated.update()
        #expect(open(record, &updated) == nil)
    }
}
