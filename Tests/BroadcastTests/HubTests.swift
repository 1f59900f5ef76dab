import FIMLCore
import GatewayTesting
import Testing

@testable import Broadcast

@Suite("A hub finds for each connection what it wants, matching once per distinct filter")
struct HubTests {
    /// Every subscription is asked about every publication.
    private struct NaiveHub {
        var subscriptions: [(connection: UInt32, filter: EventFilter, handle: Hub.Subscription)] = []

        func wanted(_ publications: ArraySlice<Publication>) -> [UInt32: UInt64] {
            var wanted: [UInt32: UInt64] = [:]
            for (connection, filter, _) in subscriptions {
                for (bit, publication) in publications.enumerated() where filter.matches(publication.event) {
                    wanted[connection, default: 0] |= 1 << UInt64(bit)
                }
            }
            return wanted
        }

        var distinct: Int { Set(subscriptions.map(\.filter)).count }
    }

    private static let filters: [EventFilter] = [
        #"{}"#, #"{"severities":["critical"]}"#, #"{"min_severity":"high"}"#, #"{"assets":["BTC"]}"#,
        #"{"assets":["E*"],"min_severity":"medium"}"#, #"{"watchdogs":["funding_rate"]}"#,
        #"{"severities":["low"],"assets":["SPY","QQQ"]}"#,
    ].compactMap { text in try? EventFilter.parse(JSONValue.parse(Array(text.utf8))) }

    @Test(
        "It agrees with a naive hub after every step of a random life",
        arguments: 1...20 as ClosedRange<UInt64>)
    func againstNaive(seed: UInt64) {
        #expect(Self.filters.count == 7)
        var random = SeededGenerator(seed: seed)
        var hub = Hub()
        var naive = NaiveHub()
        for step in 0..<200 {
            if naive.subscriptions.isEmpty || Int.random(in: 0..<5, using: &random) < 3 {
                let connection = UInt32.random(in: 0..<12, using: &random)
                let filter = Self.filters[Int.random(in: 0..<Self.filters.count, using: &random)]
                naive.subscriptions.append((connection, filter, hub.subscribe(connection, filter)))
            } else {
                let index = Int.random(in: 0..<naive.subscriptions.count, using: &random)
                hub.unsubscribe(naive.subscriptions.remove(at: index).handle)
            }
            let round = (0..<UInt64.random(in: 1...64, using: &random)).map { number in
                publication(
                    number, Severity.allCases[Int.random(in: 0..<4, using: &random)],
                    watchdog: Bool.random(using: &random) ? .fundingRate : .priceAnomaly,
                    symbol: ["BTC", "ETH", "SPY", "QQQ"][Int.random(in: 0..<4, using: &random)])
            }
            hub.match(round[...])
            let touched = hub.touched
            let found = Dictionary(touched.map { ($0, hub.wanted(by: $0)) }) { first, _ in first }
            #expect(touched.count == found.count, "seed \(seed), step \(step): a connection is touched once")
            #expect(found == naive.wanted(round[...]), "seed \(seed), step \(step)")
            hub.endRound()
            #expect(hub.touched.isEmpty)
            #expect(hub.subscriptionCount == naive.subscriptions.count)
            #expect(hub.distinctFilterCount == naive.distinct)
        }
        for (_, filter, handle) in naive.subscriptions { #expect(hub.filter(of: handle) == filter) }
    }

    @Test("Nothing is left of subscribers that are gone, and their places are used again")
    func churn() throws {
        var hub = Hub()
        let filter = try #require(Self.filters.first)
        for _ in 0..<1000 {
            let handles = (0..<10 as Range<UInt32>).map { hub.subscribe($0, filter) }
            for handle in handles { hub.unsubscribe(handle) }
        }
        #expect(hub.subscriptionCount == 0 && hub.distinctFilterCount == 0)
        hub.match([publication(1)])
        #expect(hub.touched.isEmpty)
    }
}
