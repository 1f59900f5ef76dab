import GatewayTesting
import MarketData
import Testing

@testable import Analysis

@Suite("Options are priced by Black, Scholes and Merton, and volatilities follow from prices")
struct BlackScholesMertonTests {
    /// A priced option; `places` is how exactly its source prints the price.
    struct Vector: Sendable, CustomTestStringConvertible {
        var source: String
        var option: BlackScholesMerton
        var volatility: Double
        var price: Double
        var places: Double

        var testDescription: String { source }

        init(
            _ source: String, _ kind: OptionContract.Kind, _ spot: Double, _ strike: Double, rate: Double,
            yield: Double = 0, years: Double, volatility: Double, price: Double, places: Double
        ) {
            self.source = source
            option = BlackScholesMerton(
                kind: kind, spot: spot, strike: strike, rate: rate, yield: yield, years: years)
            self.volatility = volatility
            self.price = price
            self.places = places
        }
    }

    private static let hull = "Hull, Options, Futures, and Other Derivatives"
    private static let haug = "Haug, The Complete Guide to Option Pricing Formulas, chapter 1"

    static let vectors = [
        Vector(
            "\(hull): 42 on 40, call", .call, 42, 40, rate: 0.1, years: 0.5, volatility: 0.2, price: 4.76,
            places: 0.005),
        Vector(
            "\(hull): 42 on 40, put", .put, 42, 40, rate: 0.1, years: 0.5, volatility: 0.2, price: 0.81,
            places: 0.005),
        Vector(
            "\(hull): index 930 on 900", .call, 930, 900, rate: 0.08, yield: 0.03, years: 1.0 / 6,
            volatility: 0.2, price: 51.83, places: 0.005),
        Vector(
            "\(haug): stock 60 on 65", .call, 60, 65, rate: 0.08, years: 0.25, volatility: 0.3,
            price: 2.1334, places: 0.00005),
        Vector(
            "\(haug): index 100 on 95", .put, 100, 95, rate: 0.1, yield: 0.05, years: 0.5, volatility: 0.2,
            price: 2.4648, places: 0.00005),
    ]

    @Test("Prices of the textbooks", arguments: vectors)
    func prices(vector: Vector) throws {
        let price = try #require(vector.option.price(volatility: vector.volatility))
        #expect(abs(price - vector.price) <= vector.places)
    }

    @Test("The volatility of a price is the one that it came of", arguments: vectors)
    func inverts(vector: Vector) throws {
        for volatility in [0.05, 0.2, 0.9, 4] {
            let price = try #require(vector.option.price(volatility: volatility))
            guard let implied = vector.option.impliedVolatility(price: price) else {
                Issue.record("none at \(volatility)")
                continue
            }
            #expect(abs(implied - volatility) <= 1e-8, "at \(volatility)")
        }
    }

    @Test("A call of 1.875 on 21 with strike 20 implies 23.5 %, as in Hull's text")
    func hullImplied() throws {
        let option = BlackScholesMerton(kind: .call, spot: 21, strike: 20, rate: 0.1, yield: 0, years: 0.25)
        let implied = try #require(option.impliedVolatility(price: 1.875))
        #expect(abs(implied - 0.235) <= 0.0005)
    }

    @Test("No volatility where the price breaks the bounds without arbitrage, or is beyond 1,000 %")
    func bounds() {
        let call = BlackScholesMerton(kind: .call, spot: 100, strike: 90, rate: 0, yield: 0, years: 1)
        // Worth at least 10, less than 100; at 1,000 % a year it is worth 99.99994.
        for price in [-1, 0, 9.99, 10, 99.99999, 100, 101, .nan, .infinity, -.infinity] {
            #expect(call.impliedVolatility(price: price) == nil, "\(price)")
        }
        #expect(call.impliedVolatility(price: 10.5) != nil)
        let put = BlackScholesMerton(kind: .put, spot: 100, strike: 110, rate: 0, yield: 0, years: 1)
        for price in [0, 9.99, 10, 110, 111] {
            #expect(put.impliedVolatility(price: price) == nil, "\(price)")
        }
        #expect(put.impliedVolatility(price: 10.5) != nil)
    }

    @Test("Terms without a price have none: nothing is left of time, or a price is not above 0")
    func unusable() {
        let good = BlackScholesMerton(kind: .put, spot: 100, strike: 100, rate: 0.04, yield: 0, years: 1)
        #expect(good.price(volatility: 0.2) != nil)
        for volatility in [0, -1, .nan] {
            #expect(good.price(volatility: volatility) == nil)
        }
        let paths: [WritableKeyPath<BlackScholesMerton, Double>] = [\.spot, \.strike, \.years]
        for path in paths {
            for value in [0, -1, .nan, .infinity] {
                var option = good
                option[keyPath: path] = value
                #expect(option.price(volatility: 0.2) == nil, "\(value)")
                #expect(option.impliedVolatility(price: 5) == nil, "\(value)")
            }
        }
    }

    @Test("Of any terms: a price within its bounds, parity of call and put, or nil; never a trap")
    func anyTerms() {
        var generator = SeededGenerator(seed: 0xB5_1973)
        func any(_ range: ClosedRange<Int>) -> Double {
            let exponent = Int.random(in: range, using: &generator)
            return Double(sign: .plus, exponent: exponent, significand: .random(in: 1..<2, using: &generator))
        }
        var priced = 0
        var implied = 0
        for round in 0..<4_000 {
            let wild = round.isMultiple(of: 4)
            let spot = any(wild ? -1_070...1_020 : 2...6)
            var call = BlackScholesMerton(
                kind: .call, spot: spot, strike: wild ? any(-1_070...1_020) : spot * any(-1...0),
                rate: .random(in: -0.05...0.2, using: &generator),
                yield: .random(in: 0...0.1, using: &generator), years: wild ? any(-40...40) : any(-8...1))
            let volatility = wild ? any(-60...20) : any(-4...0)
            let callPrice = call.price(volatility: volatility)
            if let price = callPrice, let volatility = call.impliedVolatility(price: price) {
                implied += 1
                #expect((1e-6...10).contains(volatility))
            }
            let other = call.impliedVolatility(price: any(-1_070...1_020))
            #expect(other.map { (1e-6...10).contains($0) } ?? true)
            guard !wild, let callPrice else { continue }
            priced += 1
            #expect(callPrice > -1e-9 * spot && callPrice < spot * 1.000001)
            call.kind = .put
            // Parity: call less put does not depend on the volatility.
            guard let putPrice = call.price(volatility: volatility),
                let less = call.price(volatility: volatility / 2)
            else {
                Issue.record("a call has a price, its put none")
                continue
            }
            #expect(less <= putPrice + 1e-9 * spot, "a lower volatility is not dearer")
            call.kind = .call
            if let cheaper = call.price(volatility: volatility / 2) {
                let parity = callPrice - putPrice
                #expect(abs(parity - (cheaper - less)) <= 1e-9 * spot, "parity")
            }
        }
        #expect(priced > 2_000 && implied > 1_000)
    }
}
