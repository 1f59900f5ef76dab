import Testing

@testable import EventLoop

@Suite("A wheel brings every deadline up once, never early, at most a slot late")
struct TimerWheelTests {
    @Test("Deadlines near and far, in any order, with pauses", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15
        func next(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var now: UInt64 = 1_000_000 + next(1000)
        var wheel = TimerWheel(now: now)
        var deadlines: [UInt64: UInt64] = [:]
        var token: UInt64 = 0
        for _ in 0..<500 {
            for _ in 0..<next(4) {
                // Within the reach of the wheel, 51 seconds.
                deadlines[token] = now + next(50_000)
                wheel.add(token, at: deadlines[token] ?? 0)
                token += 1
            }
            now += next(3000)
            var expired: [UInt64] = []
            wheel.advance(to: now, into: &expired)
            for token in expired {
                let deadline = deadlines.removeValue(forKey: token)
                #expect(deadline.map { $0 <= now } ?? false, "seed \(seed): early or twice")
            }
            for (_, deadline) in deadlines {
                #expect(deadline + TimerWheel.resolution > now, "seed \(seed): late")
            }
            #expect(wheel.count == deadlines.count)
        }
    }

    @Test("A deadline beyond the wheel comes up at its rim, to be added again")
    func rim() {
        var wheel = TimerWheel(now: 0)
        wheel.add(1, at: 1_000_000)
        var expired: [UInt64] = []
        wheel.advance(to: 51_000, into: &expired)
        #expect(expired.isEmpty)
        wheel.advance(to: 51_200, into: &expired)
        #expect(expired == [1])
    }

    @Test("The wait is until the next deadline, and endless without one")
    func wait() {
        var wheel = TimerWheel(now: 1000)
        #expect(wheel.wait(from: 1000) == nil)
        wheel.add(1, at: 1200)
        #expect(wheel.wait(from: 1000) == 200)
        #expect(wheel.wait(from: 1300) == 0)
    }
}
