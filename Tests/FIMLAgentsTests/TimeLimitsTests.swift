import Testing

@testable import FIMLAgents

@Suite("Waits that take too long are ended, by one timer for all")
struct TimeLimitsTests {
    @Test("Those whose time has come go on, the others wait")
    func pass() async {
        let limits = TimeLimits()
        let long = Task { await limits.pass(.seconds(3600)) }
        #expect(await limits.pass(.milliseconds(50)))
        #expect(await limits.pass(.zero))
        long.cancel()
        #expect(await long.value == false, "it was ended before its time")
        // The timer has ended with the last; another wait begins it again.
        #expect(await limits.pass(.milliseconds(50)))
    }

    @Test("A thousand at once are all told")
    func many() async {
        let limits = TimeLimits()
        let passed = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1_000 { group.addTask { await limits.pass(.milliseconds(number % 300)) } }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(passed == 1_000)
    }
}
