import Testing
import WebSocket

@Suite("RFC 6455 §7: the closing handshake")
struct ClosingHandshakeTests {
    @Test(
        "a close frame is answered with its code; a server then closes the transport (§5.5.1, §7.1.1)"
    )
    func answered() {
        var server = ClosingHandshake(role: .server)
        #expect(server.isOpen && !server.closesTransport)
        #expect(server.receive(.goingAway) == hex("88 02 03 e9"))
        #expect(!server.isOpen && server.closesTransport)

        var client = ClosingHandshake(role: .client)
        #expect(client.receive(.goingAway, maskingKey: 0) == hex("88 82 00000000 03 e9"))
        #expect(!client.closesTransport, "a client waits for the server")
    }

    @Test("a close frame without a code is answered with one without a code")
    func noCode() {
        var closing = ClosingHandshake(role: .server)
        #expect(closing.receive(nil) == hex("88 00"))
    }

    @Test("after our close frame nothing is sent or delivered, and the peer's ends it")
    func begun() {
        var closing = ClosingHandshake(role: .server)
        #expect(closing.begin(.slowConsumer, "x") == hex("88 03 10 06 78"))
        #expect(closing.isSent && !closing.isOpen && !closing.closesTransport)
        #expect(closing.begin(.normalClosure) == nil)
        #expect(closing.receive(.normalClosure) == nil)
        #expect(closing.closesTransport)
    }

    @Test(
        "a violation is told and closes the transport without waiting (§7.1.7)",
        arguments: [Role.server, .client])
    func failed(role: Role) {
        var closing = ClosingHandshake(role: role)
        #expect(closing.fail(.closeCodeInvalid) == Frame.close(.protocolError, "close code must not be sent"))
        #expect(closing.closesTransport)

        closing = ClosingHandshake(role: role)
        _ = closing.begin(.normalClosure)
        #expect(closing.fail(.reservedOpcode) == nil)
        #expect(closing.closesTransport)
    }

    @Test(
        "every violation has its close code (§7.4.1)",
        arguments: [
            (
                1002,
                [
                    .reservedBitSet, .reservedOpcode, .maskMissing, .maskUnexpected, .lengthNotMinimal,
                    .lengthOutOfRange,
                    .controlFrameFragmented, .controlFrameTooLong, .continuationWithoutMessage,
                    .messageInterrupted,
                    .closePayloadTooShort, .closeCodeInvalid,
                ]
            ),
            (1007, [.textNotUTF8, .deflateInvalid, .closeReasonNotUTF8]),
            (1009, [.messageTooBig]),
        ] as [(UInt16, Set<ProtocolViolation>)])
    func codes(code: UInt16, violations: Set<ProtocolViolation>) {
        #expect(Set(ProtocolViolation.allCases.filter { $0.closeCode.rawValue == code }) == violations)
    }

    @Test("every violation's reason fits beside the code (§5.5)")
    func reasons() {
        for violation in ProtocolViolation.allCases {
            #expect((1...123).contains(violation.reason.utf8.count))
        }
    }
}
