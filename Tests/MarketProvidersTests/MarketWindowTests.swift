import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import MarketProviders

@Suite("What a live market remembers is the same, however often and in whatever order it comes")
struct MarketWindowTests {
    private typealias Snapshot = DepthWindow.Snapshot

    private static let hourMilliseconds: Int64 = 3_600_000

    /// Snapshots over three weeks, close together and far apart, from a seed.
    private static func snapshots(seed: UInt64) -> [Snapshot] {
        var generator = SeededGenerator(seed: seed)
        var milliseconds = Live.noon.milliseconds
        return (0..<600).map { _ in
            milliseconds += Int64.random(
                in: 1...(Int.random(in: 0..<20, using: &generator) == 0 ? 100 : 1) * hourMilliseconds,
                using: &generator)
            return Snapshot(
                observedAt: Timestamp(milliseconds: milliseconds),
                depthUSD: .random(in: 0...1e9, using: &generator), intervalSeconds: 180)
        }
    }

    /// A list in which some come twice, and some late.
    private static func disturbed<Element>(_ elements: [Element], seed: UInt64) -> [Element] {
        var generator = SeededGenerator(seed: seed)
        return elements.indices.flatMap { index in
            // What is new, then something that is not.
            [elements[index], elements[Int.random(in: 0...index, using: &generator)]]
        }
    }

    @Test("The mean depth is that of all earlier snapshots of the last 168 hours", arguments: 1...8)
    func depthMean(seed: UInt64) throws {
        var window = DepthWindow()
        let snapshots = Self.snapshots(seed: seed)
        for (index, snapshot) in snapshots.enumerated() {
            window.add(snapshot)
            // Naive: look at every snapshot again. The hour that has begun is the 168th.
            let begin =
                (snapshot.observedAt.milliseconds / Self.hourMilliseconds - 167) * Self.hourMilliseconds
            let earlier = snapshots[..<index].filter { $0.observedAt.milliseconds >= begin }
            let depth = try #require(window.depth)
            #expect(depth.depthUSD == snapshot.depthUSD)
            #expect(depth.snapshots == earlier.count)
            #expect(window.hours.count <= 168)
            guard !earlier.isEmpty else {
                #expect(depth.meanUSD == nil)
                continue
            }
            let mean = earlier.map(\.depthUSD).reduce(0, +) / Double(earlier.count)
            #expect(abs(try #require(depth.meanUSD) - mean) <= mean * 1e-9)
        }
    }

    @Test("Doubled and late snapshots change nothing", arguments: 1...8)
    func depthDisturbed(seed: UInt64) {
        var once = DepthWindow()
        var disturbed = DepthWindow()
        let snapshots = Self.snapshots(seed: seed)
        for snapshot in snapshots { once.add(snapshot) }
        for snapshot in Self.disturbed(snapshots, seed: seed) { disturbed.add(snapshot) }
        #expect(disturbed == once)
    }

    @Test(
        "A snapshot that cannot be changes nothing",
        arguments: [
            Snapshot(observedAt: Live.noon, depthUSD: .nan, intervalSeconds: 1),
            Snapshot(observedAt: Live.noon, depthUSD: -1, intervalSeconds: 1),
            Snapshot(observedAt: Live.noon, depthUSD: .infinity, intervalSeconds: 1),
            Snapshot(observedAt: Live.noon, depthUSD: 1, intervalSeconds: 0),
            Snapshot(observedAt: Live.noon, depthUSD: 1, intervalSeconds: .max),
            Snapshot(observedAt: Timestamp(milliseconds: .min), depthUSD: 1, intervalSeconds: 1),
            Snapshot(observedAt: Timestamp(milliseconds: .max), depthUSD: 1, intervalSeconds: 1),
        ])
    func depthRefused(snapshot: DepthWindow.Snapshot) {
        var window = DepthWindow()
        window.add(snapshot)
        #expect(window == DepthWindow())
    }

    @Test("Quotes cover the time asked for, and are the newest two at least", arguments: 1...8)
    func quotes(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var window = QuoteWindow()
        var all: [Quote] = []
        var milliseconds = Live.noon.milliseconds
        for _ in 0..<400 {
            milliseconds += .random(in: 1...2_000_000, using: &generator)
            let quote = Live.quote(
                .random(in: 1...9, using: &generator), at: Timestamp(milliseconds: milliseconds))
            all.append(quote)
            window.add(quote)
            let seconds = Int64.random(in: 0...10_000, using: &generator)
            let inside = all.filter { milliseconds - $0.observedAt.milliseconds <= seconds * 1_000 }
            #expect(window.covering(seconds: seconds) == (inside.count < 2 ? Array(all.suffix(2)) : inside))
            #expect(window.quotes == all.filter { milliseconds - $0.observedAt.milliseconds <= 86_400_000 })
        }
    }

    @Test("Doubled and late quotes change nothing, nor do those that cannot be")
    func quotesDisturbed() {
        let quotes = (0..<500).map { Live.quote(Double($0 + 1), at: Live.after(Int64($0) * 30)) }
        var once = QuoteWindow()
        var disturbed = QuoteWindow()
        for quote in quotes { once.add(quote) }
        for quote in Self.disturbed(quotes, seed: 1) { disturbed.add(quote) }
        for price in [0, -1, .nan, .infinity, 1e300] {
            disturbed.add(Live.quote(price, at: Live.after(100_000)))
        }
        #expect(disturbed == once)
    }

    @Test("No more than 3,000 quotes are kept, and no span is too large to ask for")
    func quotesBounded() {
        var window = QuoteWindow()
        #expect(window.covering(seconds: .max).isEmpty)
        for second in Int64(0)..<3_500 { window.add(Live.quote(1, at: Live.after(second))) }
        #expect(window.quotes.count == 3_000)
        #expect(window.newest?.observedAt == Live.after(3_499))
        #expect(window.covering(seconds: .max).count == 3_000)
        #expect(window.covering(seconds: .min).count == 2)
    }

    @Test("Of several answers of bars the same one is kept in whatever order they come", arguments: 1...8)
    func barsReordered(seed: UInt64) throws {
        let answers = try (0..<12).map { index in
            try #require(
                BarWindow(
                    Live.bars(40, upTo: Live.after(Int64(index / 4) * 86_400)),
                    from: index.isMultiple(of: 2) ? .binance : .kraken, askedAt: Live.after(Int64(index))))
        }
        var inOrder = MarketHistory()
        for answer in answers { inOrder.add(answer, of: "crypto/BTC") }
        var shuffled = MarketHistory()
        var generator = SeededGenerator(seed: seed)
        for answer in (answers + answers).shuffled(using: &generator) {
            shuffled.add(answer, of: "crypto/BTC")
        }
        #expect(shuffled == inOrder)
        #expect(inOrder.bars["crypto/BTC"] == answers.last)
    }

    @Test("The newest 261 bars are kept")
    func barsBounded() throws {
        let window = try #require(BarWindow(Live.bars(500), from: .binance, askedAt: Live.noon))
        #expect(window.bars == Array(Live.bars(500).suffix(261)))
        #expect(window.bars(closedBy: Live.noon, limit: .max, unfinished: false).count == 260)
        #expect(window.bars(closedBy: Live.noon, limit: -1, unfinished: false).isEmpty)
        #expect(window.bars(closedBy: Live.after(-86_400 * 500), limit: 9, unfinished: true).isEmpty)
    }

    @Test("Of too many assets the one that was not heard of for longest is forgotten")
    func assetsBounded() {
        var history = MarketHistory()
        for index in 0..<1_001 {
            // The third is the oldest.
            history.add(
                Live.quote(1, at: Live.after(index == 2 ? -9 : Int64(index))), of: "crypto/A\(index)",
                from: .okx)
        }
        #expect(history.quotes.count == 1_000)
        #expect(history.quotes["crypto/A2"] == nil)
        #expect(history.quotes["crypto/A1000"] != nil)
    }
}
