import Glibc
import MarketData

/// A European option's price by Black, Scholes and Merton, and the volatility that a price implies.
///
/// With the forward price F = S e^((r − q) T) and d₁ = ln(F / K) / (σ √T) + σ √T / 2, d₂ = d₁ − σ √T, a call
/// is worth e^(−r T) (F N(d₁) − K N(d₂)) and a put e^(−r T) (K N(−d₂) − F N(−d₁)). Sources: F. Black and
/// M. Scholes, Journal of Political Economy 81 (1973); R. Merton, Bell Journal of Economics 4 (1973).
struct BlackScholesMerton {
    /// Volatilities that are looked for; what a price implies beyond 1,600 % a year is no volatility.
    static let highestVolatility = 16.0
    /// Of what an option is worth beyond its intrinsic value, so small a share of the greater of spot and
    /// strike is lost in rounding and implies nothing.
    static let smallestTimeValue = 1e-8

    private let spot: Double
    private let strike: Double
    /// ln(F / K).
    private let moneyness: Double
    /// √T.
    private let rootOfYears: Double
    /// Spot and strike as of today: S e^(−q T) and K e^(−r T).
    private let presentSpot: Double
    private let presentStrike: Double

    /// An option by its terms. `rate` r and `yield` q are continuously compounded fractions a year, `years` T
    /// the time to expiry. nil where prices or time are not positive, or a number is none or out of any range
    /// that can be computed with.
    init?(spot: Double, strike: Double, rate: Double, yield: Double, years: Double) {
        guard spot > 0, strike > 0, years > 0, spot.isFinite, strike.isFinite, years.isFinite else {
            return nil
        }
        self.spot = spot
        self.strike = strike
        rootOfYears = years.squareRoot()
        presentSpot = spot * exp(-yield * years)
        presentStrike = strike * exp(-rate * years)
        moneyness = log(spot) - log(strike) + (rate - yield) * years
        guard presentSpot.isNormal, presentStrike.isNormal, presentSpot + presentStrike < .infinity,
            moneyness.isFinite
        else { return nil }
    }

    /// What the option is worth at that volatility, a fraction a year greater than 0; at 0 or less, what it
    /// would be worth if nothing moved.
    func price(_ kind: OptionContract.Kind, volatility: Double) -> Double {
        guard volatility * rootOfYears > 0 else { return intrinsicValue(kind) }
        let (first, second) = deviations(volatility)
        return switch kind {
        case .call: presentSpot * Self.normal(first) - presentStrike * Self.normal(second)
        case .put: presentStrike * Self.normal(-second) - presentSpot * Self.normal(-first)
        }
    }

    /// The volatility at which the option is worth `price`. nil where no volatility up to the highest gives
    /// it: up to the intrinsic value, and from the present spot (call) or strike (put) upwards.
    ///
    /// Newton's steps on the logarithm of the time value, which is nearly straight where the price itself is
    /// flat. A step out of the bracket is replaced by halving it, so that the search always ends.
    func impliedVolatility(_ kind: OptionContract.Kind, price: Double) -> Double? {
        guard price.isFinite, price < (kind == .call ? presentSpot : presentStrike) else { return nil }
        // By put-call parity the time value is the price of the option of the other kind where this one is in
        // the money: the difference of two great prices is taken once, and not in every step.
        let target = price - intrinsicValue(kind)
        guard target > Self.smallestTimeValue * max(spot, strike) else { return nil }
        let outOfTheMoney: OptionContract.Kind = presentSpot > presentStrike ? .put : .call
        var low = 0.0
        var high = 1.0
        while self.price(outOfTheMoney, volatility: high) < target {
            guard high < Self.highestVolatility else { return nil }
            low = high
            high *= 2
        }
        var volatility = (low + high) / 2
        for _ in 0..<100 {
            let value = self.price(outOfTheMoney, volatility: volatility)
            if value < target { low = volatility } else { high = volatility }
            let step = log(value / target) * value / vega(volatility)
            let next = volatility - step
            // What is left of the error is about the square of the step.
            if abs(step) <= 1e-8 * volatility { return next }
            // A step that is not a number, as where vega is 0, leads into no bracket.
            volatility = next > low && next < high ? next : (low + high) / 2
        }
        return nil
    }

    /// What the option would be worth if nothing moved.
    private func intrinsicValue(_ kind: OptionContract.Kind) -> Double {
        max(0, kind == .call ? presentSpot - presentStrike : presentStrike - presentSpot)
    }

    /// d₁ and d₂.
    private func deviations(_ volatility: Double) -> (Double, Double) {
        // Beyond a million both N are what they were long before; infinity less infinity would be no number.
        let deviation = min(volatility * rootOfYears, 1e6)
        let first = moneyness / deviation + deviation / 2
        return (first, first - deviation)
    }

    /// How the price grows with the volatility: S e^(−q T) φ(d₁) √T, of call and put alike.
    private func vega(_ volatility: Double) -> Double {
        let (first, _) = deviations(volatility)
        return presentSpot * exp(-first * first / 2) / (2 * Double.pi).squareRoot() * rootOfYears
    }

    /// The standard normal distribution: N(x).
    private static func normal(_ value: Double) -> Double { erfc(-value / 2.0.squareRoot()) / 2 }
}
