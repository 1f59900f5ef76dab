import FIMLCore
import Testing
import WebSocket

@testable import GatewayClient

@Suite("How a connection ended says whether and when to connect again")
struct ReconnectionTests {
    private static let ack: JSONValue = ["type": "subscription_ack", "position": "5-0", "recovered": true]
    private static let goingAway: JSONValue = [
        "type": "going_away", "reason": "drain", "reconnect_after_ms": 4210,
    ]

    private static func subscriber(_ messages: [JSONValue] = [ack]) -> Subscriber {
        var subscriber = Subscriber(filter: .everything, start: .live)
        _ = subscriber.connected()
        for message in messages { _ = subscriber.receive(message) }
        return subscriber
    }

    /// What the ranges of the protocol ask for. With 0.5 the first backoff is 750 ms.
    private static let codesCases: [(UInt16?, Int?)] = [
        (4000, nil), (4001, nil), (4005, nil), (4099, nil),
        (4100, 750), (4102, 750), (4199, 750),
        (4200, 0), (4202, 0), (4299, 0),
        (4300, 750), (3999, 750), (1000, 750), (1001, 750), (1011, 750), (1012, 750), (nil, 750),
    ]

    @Test("Close codes are obeyed by their range", arguments: codesCases)
    func codes(code: UInt16?, milliseconds: Int?) {
        var subscriber = Self.subscriber()
        let end = ConnectionEnd.closed(code.map { CloseCode(rawValue: $0) }, reason: "why")
        let reason = "closed by the server: \(code.map { "\($0)" } ?? "without a code") why"
        let expected = milliseconds.map { Subscriber.Next.connect(afterMilliseconds: $0, reason: reason) }
        #expect(subscriber.ended(end, random: 0.5) == expected ?? .fail(reason: reason))
    }

    @Test("going_away names the moment, once; its absurd ones are bounded", arguments: [1001, 1012, 4202])
    func reconnectAfter(code: UInt16) {
        var subscriber = Self.subscriber([Self.ack, Self.goingAway])
        let end = ConnectionEnd.closed(CloseCode(rawValue: code), reason: "")
        let reason = "closed by the server: \(code)"
        #expect(subscriber.ended(end, random: 0) == .connect(afterMilliseconds: 4210, reason: reason))
        #expect(subscriber.ended(.lost("x"), random: 0) == .connect(afterMilliseconds: 500, reason: "x"))
        for (absurd, bounded) in [(Int64.max, 600_000), (-5, 0)] {
            let message: JSONValue = ["type": "going_away", "reconnect_after_ms": .integer(absurd)]
            var subscriber = Self.subscriber([Self.ack, message])
            #expect(
                subscriber.ended(.lost("x"), random: 0) == .connect(afterMilliseconds: bounded, reason: "x"))
        }
    }

    @Test("At once is only for connections that had worked, else it would be a loop")
    func notAtOnce() {
        var subscriber = Self.subscriber([])
        let end = ConnectionEnd.closed(.tokenExpired, reason: "")
        #expect(
            subscriber.ended(end, random: 0)
                == .connect(afterMilliseconds: 500, reason: "closed by the server: 4200"))
    }

    @Test("Failures in a row are made further apart, until a subscription is acknowledged")
    func backoff() {
        var subscriber = Self.subscriber([])
        let delays = (0..<3).map { _ in subscriber.ended(.lost("x"), random: 0.5) }
        #expect(delays == [750, 1250, 2250].map { .connect(afterMilliseconds: $0, reason: "x") })
        _ = subscriber.connected()
        #expect(subscriber.ended(.lost("x"), random: 0.5) == .connect(afterMilliseconds: 4250, reason: "x"))
        _ = subscriber.connected()
        _ = subscriber.receive(Self.ack)
        #expect(subscriber.ended(.lost("x"), random: 0.5) == .connect(afterMilliseconds: 750, reason: "x"))
    }

    private static let refusals: [(Int, Int?, Int?)] = [
        (429, nil, 500), (503, 7, 7000), (503, 0, 500), (500, nil, 500), (503, Int.max, 600_000),
        (401, nil, nil), (403, 9, nil), (404, nil, nil), (426, nil, nil), (301, nil, nil), (200, nil, nil),
    ]

    @Test(
        "A refused handshake is tried again where that can help, not before Retry-After", arguments: refusals)
    func refused(status: Int, retryAfter: Int?, milliseconds: Int?) {
        var subscriber = Self.subscriber([])
        let end = ConnectionEnd.refused(status: status, reason: "r", retryAfterSeconds: retryAfter)
        let expected = milliseconds.map {
            Subscriber.Next.connect(afterMilliseconds: $0, reason: "refused: r")
        }
        #expect(subscriber.ended(end, random: 0) == expected ?? .fail(reason: "refused: r"))
    }

    @Test("A certificate that is not accepted ends the program")
    func hopeless() {
        var subscriber = Self.subscriber([])
        #expect(subscriber.ended(.hopeless("no"), random: 0) == .fail(reason: "no"))
    }
}
