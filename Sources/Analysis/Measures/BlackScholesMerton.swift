import Glibc
import MarketData

/// A European option by Black, Scholes and Merton (Merton, "Theory of Rational Option Pricing", 1973), with a
/// continuous yield.
struct BlackScholesMerton {
    /// Call or put.
    var kind: OptionContract.Kind
    /// What the asset is worth.
    var spot: Double
    /// The price at which the option may be used.
    var strike: Double
    /// A year's interest and yield, continuously compounded, as fractions.
    var rate: Double
    var yield: Double
    /// Until it ends.
    var years: Double

    /// Volatilities that are looked for, as fractions of a year.
    private static let volatilities = 1e-6...10.0
    /// So exact is an implied volatility.
    private static let tolerance = 1e-10

    /// The asset and the strike, each as of today.
    private var forward: Double { spot * exp(-yield * years) }
    private var discounted: Double { strike * exp(-rate * years) }

    /// Whether there is a price at all.
    private var isUsable: Bool {
        spot > 0 && strike > 0 && years > 0 && forward.isFinite && discounted.isFinite && forward > 0
            && discounted > 0
    }

    /// The price at that volatility; nil where the terms allow none.
    func price(volatility: Double) -> Double? {
        guard isUsable, volatility > 0 else { return nil }
        let spread = volatility * years.squareRoot()
        let d1 = log(forward / discounted) / spread + spread / 2
        let d2 = d1 - spread
        let price =
            switch kind {
            case .call: forward * Self.normal(d1) - discounted * Self.normal(d2)
            case .put: discounted * Self.normal(-d2) - forward * Self.normal(-d1)
            }
        return price.isFinite ? price : nil
    }

    /// The volatility at which the option is worth `price`, by halving and Newton's steps within the halves.
    /// Nil where none is: the price breaks the bounds that hold without arbitrage, or lies beyond 1,000 %.
    func impliedVolatility(price target: Double) -> Double? {
        let inner = kind == .call ? forward - discounted : discounted - forward
        let highest = kind == .call ? forward : discounted
        guard isUsable, target > max(0, inner), target < highest else { return nil }
        var (low, high) = (Self.volatilities.lowerBound, Self.volatilities.upperBound)
        guard let lowest = price(volatility: low), let dearest = price(volatility: high),
            lowest <= target, target <= dearest
        else { return nil }
        var guess = 0.3
        // Halving alone takes 37 steps to the tolerance.
        for _ in 0..<100 {
            guard let value = price(volatility: guess) else { return nil }
            if value > target { high = guess } else { low = guess }
            let slope = vega(volatility: guess)
            let step = guess - (value - target) / slope
            let next = slope > 0 && step > low && step < high ? step : (low + high) / 2
            if abs(next - guess) < Self.tolerance { return next }
            guess = next
        }
        return guess
    }

    /// How the price grows with the volatility.
    private func vega(volatility: Double) -> Double {
        let spread = volatility * years.squareRoot()
        let d1 = log(forward / discounted) / spread + spread / 2
        return forward * exp(-d1 * d1 / 2) / (2 * Double.pi).squareRoot() * years.squareRoot()
    }

    /// The standard normal distribution.
    private static func normal(_ value: Double) -> Double {
        erfc(-value / 2.0.squareRoot()) / 2
    }
}
