import MarketData

/// What was traded, is open and is implied in the calls, or the puts, of a series.
///
/// A count of contracts that is negative, no number, or beyond 10¹² is none; so is an implied volatility that
/// is not positive, or beyond 1,600 %.
struct OptionActivity {
    /// A contract that traded more than a hundred times, and more than twice its open interest: most of it is
    /// new. A missing open interest counts as 1, a given one of 0 as 0.
    static func isUnusual(_ contract: OptionContract) -> Bool {
        guard let volume = count(contract.volume) else { return false }
        return volume > 100 && volume > 2 * (count(contract.openInterest) ?? 1)
    }

    /// A number of contracts.
    static func count(_ value: Double?) -> Double? {
        value.flatMap { (0...1e12).contains($0) ? $0 : nil }
    }

    /// A volatility that a source gives.
    static func volatility(_ value: Double?) -> Double? {
        value.flatMap { $0 > 0 && $0 <= BlackScholesMerton.highestVolatility ? $0 : nil }
    }

    /// Contracts traded today; nil where the source does not say of any.
    private(set) var volume: Double?
    /// Contracts that are open; nil where the source does not say of any.
    private(set) var openInterest: Double?
    /// How many contracts are unusual.
    private(set) var unusualCount = 0
    /// How many implied volatilities were computed, because the source gives none.
    private(set) var computedCount = 0
    /// How many there are, computed or not.
    private(set) var volatilityCount = 0
    private var volatilities = 0.0

    /// The mean implied volatility; nil where there is none.
    var meanVolatility: Double? { volatilityCount > 0 ? volatilities / Double(volatilityCount) : nil }

    /// Adds a contract; `computed` is asked for its implied volatility where the source gives none.
    mutating func add(_ contract: OptionContract, computed: (OptionContract) -> Double?) {
        if let traded = Self.count(contract.volume) { volume = (volume ?? 0) + traded }
        if let open = Self.count(contract.openInterest) { openInterest = (openInterest ?? 0) + open }
        if Self.isUnusual(contract) { unusualCount += 1 }
        let given = Self.volatility(contract.impliedVolatility)
        guard let volatility = given ?? computed(contract) else { return }
        volatilities += volatility
        volatilityCount += 1
        if given == nil { computedCount += 1 }
    }
}
