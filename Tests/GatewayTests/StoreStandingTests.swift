import Testing

@testable import Gateway

@Suite("Trouble with a store is told once when it begins and once when it ends")
struct StoreStandingTests {
    @Test("It becomes ready with its first answer")
    func ready() {
        var standing = StoreStanding()
        #expect(standing.state == .starting)
        #expect(standing.succeeded(at: 1_000) == .becameReady)
        #expect(standing.succeeded(at: 2_000) == nil)
        #expect(standing.isReady && !standing.isInTrouble)
    }

    @Test("The reason is the last one, the beginning stays")
    func trouble() {
        var standing = StoreStanding()
        _ = standing.succeeded(at: 1_000)
        #expect(standing.failed("away", at: 5_000, ticks: 0) == .troubleBegan("away"))
        #expect(standing.failed("locked", at: 7_000, ticks: 2_000) == nil)
        #expect(standing.state == .trouble(reason: "locked", since: 5_000))
        #expect(standing.succeeded(at: 65_500) == .troubleEnded(seconds: 60))
        #expect(standing.failed("away", at: 70_000, ticks: 0) == .troubleBegan("away"))
    }

    @Test("Tries are 1, 2, 4, 8, 16 and then 30 seconds apart, and begin anew after an end")
    func pauses() {
        var standing = StoreStanding()
        var pauses: [UInt64] = []
        for _ in 0..<40 {
            _ = standing.failed("away", at: 0, ticks: 500)
            pauses.append(standing.retryAt - 500)
        }
        #expect(pauses.prefix(7) == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
        #expect(pauses.last == 30_000)
        _ = standing.succeeded(at: 0)
        _ = standing.failed("away", at: 0, ticks: 500)
        #expect(standing.retryAt == 1_500)
    }
}
