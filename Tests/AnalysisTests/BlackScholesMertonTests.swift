import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import Analysis

@Suite("Options are priced by Black, Scholes and Merton, and prices imply volatilities")
struct BlackScholesMertonTests {
    /// Terms and volatility of an option, and its published price.
    struct Published: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let kind: OptionContract.Kind
        let spot: Double
        let strike: Double
        let rate: Double
        let yield: Double
        let years: Double
        let volatility: Double
        let price: Double
        /// Half of the last digit that is published.
        let within: Double
    }

    static let published = [
        Published(
            testDescription: "Hull, Options, Futures and Other Derivatives, call of six months", kind: .call,
            spot: 42, strike: 40, rate: 0.1, yield: 0, years: 0.5, volatility: 0.2, price: 4.76, within: 0.005
        ),
        Published(
            testDescription: "Hull, the put of the same terms", kind: .put, spot: 42, strike: 40, rate: 0.1,
            yield: 0, years: 0.5, volatility: 0.2, price: 0.81, within: 0.005),
        Published(
            testDescription: "Hull, call on an index with dividends", kind: .call, spot: 930, strike: 900,
            rate: 0.08, yield: 0.03, years: 2.0 / 12, volatility: 0.2, price: 51.83, within: 0.005),
        Published(
            testDescription: "Haug, The Complete Guide to Option Pricing Formulas, call", kind: .call,
            spot: 60, strike: 65, rate: 0.08, yield: 0, years: 0.25, volatility: 0.3, price: 2.1334,
            within: 0.00005),
        Published(
            testDescription: "Haug, put on an index with dividends", kind: .put, spot: 100, strike: 95,
            rate: 0.1, yield: 0.05, years: 0.5, volatility: 0.2, price: 2.4648, within: 0.00005),
    ]

    @Test("Textbooks' prices, to the digits that they print", arguments: published)
    func prices(of published: Published) throws {
        let model = try #require(
            BlackScholesMerton(
                spot: published.spot, strike: published.strike, rate: published.rate, yield: published.yield,
                years: published.years))
        let price = model.price(published.kind, volatility: published.volatility)
        #expect(abs(price - published.price) <= published.within)
    }

    @Test("Hull's call of 1.875 implies 23.5 % a year")
    func impliedByHull() throws {
        let model = try #require(
            BlackScholesMerton(spot: 21, strike: 20, rate: 0.1, yield: 0, years: 0.25))
        let volatility = try #require(model.impliedVolatility(.call, price: 1.875))
        #expect(abs(volatility - 0.235) <= 0.0005)
    }

    @Test("A price implies the volatility that it comes of, in and out of the money")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 0xB5_3173)
        var implied = 0
        for _ in 0..<5_000 {
            let spot = Double.random(in: 0.5...6_000, using: &generator)
            let model = try #require(
                BlackScholesMerton(
                    spot: spot, strike: spot * .random(in: 0.3...3, using: &generator),
                    rate: .random(in: -0.01...0.1, using: &generator),
                    yield: .random(in: 0...0.05, using: &generator),
                    years: .random(in: 1...900, using: &generator) / 365))
            let volatility = Double.random(in: 0.01...4, using: &generator)
            for kind in OptionContract.Kind.allCases {
                let price = model.price(kind, volatility: volatility)
                #expect(price >= 0 && price.isFinite)
                guard let found = model.impliedVolatility(kind, price: price) else { continue }
                implied += 1
                // Where the price hardly knows the volatility, it is the price that comes back.
                #expect(
                    abs(found - volatility) <= 1e-10
                        || abs(model.price(kind, volatility: found) - price) <= 1e-13 * spot * 3)
            }
        }
        #expect(implied > 8_000)
    }

    @Test("Call less put is the present spot less the present strike", arguments: [0.01, 0.3, 5])
    func parity(volatility: Double) throws {
        let model = try #require(
            BlackScholesMerton(spot: 100, strike: 90, rate: 0, yield: 0, years: 0.5))
        let call = model.price(.call, volatility: volatility)
        #expect(abs(call - model.price(.put, volatility: volatility) - 10) <= 1e-12)
    }

    @Test("A price that no volatility gives implies none")
    func noArbitrage() throws {
        let model = try #require(
            BlackScholesMerton(spot: 100, strike: 80, rate: 0, yield: 0, years: 1))
        for price in [-1, 0, 19.99, 20, 20 + 1e-9, 100, 1e300, .infinity, .nan] {
            #expect(model.impliedVolatility(.call, price: price) == nil, "\(price)")
        }
        for price in [-1, 0, 1e-9, 80, 100, .infinity, .nan] {
            #expect(model.impliedVolatility(.put, price: price) == nil, "\(price)")
        }
        #expect(model.impliedVolatility(.call, price: 20.01) != nil)
        #expect(model.impliedVolatility(.put, price: 0.01) != nil)
        // More than 1,600 % a year.
        let short = try #require(
            BlackScholesMerton(spot: 100, strike: 80, rate: 0, yield: 0, years: 1.0 / 365))
        #expect(short.impliedVolatility(.call, price: 99) == nil)
    }

    @Test(
        "Terms that cannot be computed with are no option",
        arguments: [
            (0.0, 1.0, 1.0), (1, 0, 1), (1, 1, 0), (-1, 1, 1), (1, -1, 1), (1, 1, -1), (.nan, 1, 1),
            (1, .infinity, 1), (1, 1, .nan), (1, 1, .infinity), (1, 1, 1e9), (1.7e308, 1.7e308, 1e-9),
        ])
    func noTerms(spot: Double, strike: Double, years: Double) {
        #expect(BlackScholesMerton(spot: spot, strike: strike, rate: 0.04, yield: 0, years: years) == nil)
    }

    @Test("Whatever the numbers, a price is finite and a volatility within its range")
    func anything() {
        var generator = SeededGenerator(seed: 0xB5_0DD)
        var models = 0
        for _ in 0..<20_000 {
            func any() -> Double { HostileNumber.any(using: &generator) ?? 1 }
            let isRough = Bool.random(using: &generator)
            guard
                let model = BlackScholesMerton(
                    spot: any(), strike: any(), rate: isRough ? any() : 0.04, yield: isRough ? any() : 0,
                    years: any())
            else { continue }
            models += 1
            for kind in OptionContract.Kind.allCases {
                #expect(model.price(kind, volatility: abs(any())).isFinite)
                if let volatility = model.impliedVolatility(kind, price: any()) {
                    #expect(volatility > 0 && volatility <= BlackScholesMerton.highestVolatility)
                }
            }
        }
        #expect(models > 500)
    }
}
