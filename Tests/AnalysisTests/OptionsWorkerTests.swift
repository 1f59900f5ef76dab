import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import Analysis

@Suite("An asset is judged by the options on it, and by nothing that is not in them")
struct OptionsWorkerTests {
    private static let metrics: Set<String> = [
        "put_call_ratio", "put_call_oi_ratio", "avg_implied_volatility", "call_implied_volatility",
        "put_implied_volatility", "volatility_skew", "unusual_call_count", "unusual_put_count",
        "total_call_volume", "total_put_volume",
    ]

    /// A contract that expires `days` after the chain was taken.
    static func contract(
        _ kind: OptionContract.Kind, strike: Double = 100, days: Int64 = 30, volume: Double? = nil,
        open: Double? = nil, volatility: Double? = nil, bid: Double? = nil, ask: Double? = nil,
        name: String? = nil
    ) -> OptionContract {
        var contract = OptionContract(
            symbol: name ?? "\(kind)\(strike)", kind: kind, strike: strike,
            expiresOn: PriceFixtures.start.adding(seconds: days * 86_400))
        contract.volume = volume
        contract.openInterest = open
        contract.impliedVolatility = volatility
        contract.bid = bid
        contract.ask = ask
        return contract
    }

    static func figures(_ contracts: [OptionContract], spot: Double? = 100, bars: [Bar] = []) -> Figures {
        var figures = PriceFixtures.figures(bars)
        figures.optionChain = OptionChain(
            observedAt: PriceFixtures.start.adding(seconds: 57_600), underlyingPrice: spot,
            contracts: contracts)
        return figures
    }

    private static func finding(_ contracts: [OptionContract], spot: Double? = 100) throws -> Finding {
        try OptionsWorker().analyze(figures(contracts, spot: spot))
    }

    private static func metric(_ finding: Finding, _ name: String) -> Double? {
        finding.value("metrics", name)?.double
    }

    @Test("A small chain, added up by hand")
    func small() throws {
        let finding = try Self.finding([
            Self.contract(.call, strike: 100, volume: 300, open: 100, volatility: 0.2),
            Self.contract(.call, strike: 110, volume: 100, open: 300, volatility: 0.3),
            Self.contract(.put, strike: 100, volume: 250, open: 150, volatility: 0.3),
            Self.contract(.put, strike: 90, volume: 90, open: 50, volatility: 0.4),
        ])
        let expected = [
            "total_call_volume": 400, "total_put_volume": 340, "put_call_ratio": 0.85,
            "put_call_oi_ratio": 0.5, "call_implied_volatility": 0.25, "put_implied_volatility": 0.35,
            "avg_implied_volatility": 0.3, "volatility_skew": 0.1, "unusual_call_count": 1,
            "unusual_put_count": 0,
        ]
        #expect(Set(finding.value("metrics")?.members?.keys.map { $0 } ?? []) == Self.metrics)
        for (name, value) in expected {
            #expect(isClose(Self.metric(finding, name), value, within: 1e-12), "\(name)")
        }
        #expect(finding.value("sentiment")?.text == "neutral")
        #expect(finding.value("volatility_outlook")?.text == "normal")
        #expect(finding.missing.isEmpty)
        #expect(finding.asOf == PriceFixtures.start.adding(seconds: 57_600))
        #expect(isClose(finding.confidence, 0.2))
        #expect(
            finding.value("unusual_activity")?.elements == [
                [
                    "contract": "call100.0", "kind": "call", "strike": .number(100),
                    "expires_on": "2026-02-04", "volume": .number(300), "open_interest": .number(100),
                    "implied_volatility": .number(0.2),
                ]
            ])
        #expect(
            finding.value("interpretation")?.text
                == "By 4 options that expire on 2026-02-04, traders are neutral and expected volatility "
                + "is normal: 0.85 puts traded per call, implied volatility 30.0 %, puts less calls "
                + "10.0 points, 1 with unusual volume.")
    }

    @Test(
        "Sentiment follows the volumes, without them the open interest",
        arguments: [
            (100.0, 69.0, "bullish"), (100, 70, "neutral"), (100, 100, "neutral"), (100, 101, "bearish"),
            (0, 5, "bearish"), (5, 0, "bullish"), (0, 0, nil),
        ])
    func sentiment(calls: Double, puts: Double, label: String?) throws {
        let traded = try Self.finding([
            Self.contract(.call, volume: calls, open: 50, volatility: 0.2),
            Self.contract(.put, volume: puts, open: 50, volatility: 0.2),
        ])
        #expect(traded.value("sentiment")?.text == label ?? "neutral")
        let open = try Self.finding([
            Self.contract(.call, open: calls, volatility: 0.2), Self.contract(.put, open: puts),
        ])
        #expect(open.value("sentiment")?.text == label)
        #expect(open.missingSubjects.contains("sentiment") == (label == nil))
    }

    @Test(
        "Every outlook can be reached",
        arguments: [
            (0.1, "compressed"), (0.1499, "compressed"), (0.15, "normal"), (0.349, "normal"),
            (0.35, "elevated"), (0.59, "elevated"), (0.6, "extreme"), (9, "extreme"),
        ])
    func outlook(volatility: Double, label: String) throws {
        let finding = try Self.finding([Self.contract(.call, volatility: volatility)])
        #expect(finding.value("volatility_outlook")?.text == label)
        #expect(Self.metric(finding, "avg_implied_volatility") == volatility)
        #expect(finding.value("metrics", "volatility_skew") == .null)
    }

    @Test(
        "Volume is unusual above 100 and above twice the open interest; one not given counts as 1",
        arguments: [
            (101.0, 50.0, true), (101, 50.5, false), (100, 0, false), (101, 0, true), (101, nil, true),
            (nil, 0, false), (.nan, 0, false), (1e13, 0, false), (101, -5, true),
        ] as [(Double?, Double?, Bool)])
    func unusual(volume: Double?, open: Double?, isUnusual: Bool) throws {
        let finding = try Self.finding([
            Self.contract(.put, volume: volume, open: open, volatility: 0.2),
            Self.contract(.put, strike: 90, volume: 1, open: 1),
        ])
        #expect(Self.metric(finding, "unusual_put_count") == (isUnusual ? 1 : 0))
    }

    @Test("At most ten are listed, most traded first, equals by name")
    func listed() throws {
        let volumes: [Double] = [500, 900, 900, 200, 300, 400, 600, 700, 800, 1_000, 150, 1_100]
        let finding = try Self.finding(
            volumes.enumerated().map {
                Self.contract(.call, volume: $1, open: 0, volatility: 0.2, name: $0 == 1 ? "Z" : "C\($0)")
            })
        let listed = try #require(finding.value("unusual_activity")?.elements)
        #expect(
            listed.map { $0["contract"]?.text }
                == ["C11", "C9", "C2", "Z", "C8", "C7", "C6", "C0", "C5", "C4"])
        #expect(Self.metric(finding, "unusual_call_count") == 12)
    }

    @Test(
        "The day of expiry is the nearest that is a week away, else the last that has not passed",
        arguments: [
            ([1, 3, 8, 30], 8), ([30, 7, 6], 7), ([0, 2, 5], 5), ([-1, 0], 0), ([400], 400),
            ([-30, -1, 90], 90),
        ] as [([Int64], Int64)])
    func expiry(days: [Int64], expected: Int64) throws {
        let contracts = days.map { Self.contract(.call, days: $0, volume: 5, volatility: 0.2) }
        let chain = try #require(Self.figures(contracts).optionChain)
        let series = try #require(OptionSeries(of: chain))
        #expect(series.days == expected)
        #expect(series.contracts.count == 1)
    }

    @Test("No chain, an empty, an expired or an unknown one is insufficient, and says so")
    func nothing() {
        var refused = PriceFixtures.figures([])
        refused.missing = [
            MissingFigures(.optionChain, reason: "cboe: no such asset"),
            MissingFigures(.news, reason: "not ours"),
        ]
        let cases: [(Figures, String)] = [
            (refused, "cboe: no such asset"),
            (PriceFixtures.figures([]), "there is no chain of options"),
            (Self.figures([]), "the chain has no options"),
            (Self.figures([Self.contract(.put, days: -1, volume: 9)]), "all options have expired"),
            (
                Self.figures([Self.contract(.put)]),
                "neither volumes, open interest nor implied volatilities tell anything"
            ),
            (
                Self.figures([Self.contract(.put, volume: 0, open: 0)]),
                "neither volumes, open interest nor implied volatilities tell anything"
            ),
        ]
        for (figures, reason) in cases {
            #expect(throws: InsufficientData([MissingFigures(.optionChain, reason: reason)])) {
                try OptionsWorker().analyze(figures)
            }
        }
    }

    @Test("Without trades there are no ratios, and the reasons say why")
    func noVolume() throws {
        let finding = try Self.finding([
            Self.contract(.call, volume: 0, volatility: 0.3), Self.contract(.put, volume: 0, volatility: 0.3),
        ])
        #expect(finding.value("metrics", "put_call_ratio") == .null)
        #expect(Self.metric(finding, "total_call_volume") == 0)
        #expect(finding.value("sentiment") == .null)
        let reasons = finding.missing.reduce(into: [:]) { $0[$1.subject ?? ""] = $1.reason }
        #expect(
            reasons == [
                "put_call_ratio": "no call was traded", "put_call_oi_ratio": "the open interest is not given",
                "sentiment": "none of its figures is known",
            ])
    }
}
