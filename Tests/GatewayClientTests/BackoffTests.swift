import Testing

@testable import GatewayClient

@Suite("Attempts are made further and further apart, and not in step")
struct BackoffTests {
    @Test("The lower end stays, the upper end doubles up to 30 s")
    func bounds() {
        var lowest = Backoff()
        var highest = Backoff()
        #expect((0..<8).map { _ in lowest.next(random: 0) } == Array(repeating: 500, count: 8))
        #expect(
            (0..<8).map { _ in highest.next(random: 1.0.nextDown) }
                == [999, 1999, 3999, 7999, 15_999, 29_999, 29_999, 29_999])
    }

    @Test("It begins anew once a connection has worked")
    func reset() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.next(random: 0.5) }
        backoff.reset()
        #expect(backoff == Backoff())
        #expect(backoff.next(random: 0.5) == 750)
    }
}
