import FIMLCore
import MarketData

/// The options of one answer, checked one by one.
struct CheckedOptions {
    /// More contracts of one chain are not kept; the longest, of index options, has about 25,000.
    static let maxContracts = 50_000

    /// The figures of one option as they came.
    struct Figures {
        var bid: JSONValue?
        var ask: JSONValue?
        var last: JSONValue?
        var volume: JSONValue?
        var openInterest: JSONValue?
        var impliedVolatility: JSONValue?
    }

    /// Reads and remembers what was refused.
    var reader = AnswerReader()
    private var contracts: [OptionContract] = []

    /// Adds an option, or refuses it: its name and terms it must have. A last price of 0 is that of an option
    /// that never traded, an implied volatility of 0 one that could not be computed; both are nil.
    mutating func add(
        symbol: JSONValue?, kind: OptionContract.Kind?, strike: JSONValue?, expiresOn: Timestamp?,
        _ figures: Figures, at place: String
    ) {
        guard let name = reader.text(symbol, limit: 64, at: "\(place).symbol"), let kind, let expiresOn,
            let strike = reader.price(strike, at: "\(place).strike")
        else { return }
        guard contracts.count < Self.maxContracts else {
            reader.refuse(place, "is one option too many")
            return
        }
        var contract = OptionContract(
            symbol: name, kind: kind, strike: strike, expiresOn: expiresOn.dayStart)
        contract.bid = reader.optionalAmount(figures.bid, at: "\(place).bid")
        contract.ask = reader.optionalAmount(figures.ask, at: "\(place).ask")
        contract.last = reader.optionalPrice(figures.last, at: "\(place).last")
        contract.volume = reader.optionalAmount(figures.volume, at: "\(place).volume")
        contract.openInterest = reader.optionalAmount(figures.openInterest, at: "\(place).openInterest")
        contract.impliedVolatility = reader.optionalPrice(
            figures.impliedVolatility, at: "\(place).impliedVolatility")
        contracts.append(contract)
    }

    /// The chain, in the order of the answer. Throws where there is none.
    func decoded(at moment: Timestamp, underlyingPrice: Double?) throws(MarketDataError) -> Decoded<
        OptionChain
    > {
        guard !contracts.isEmpty else { throw reader.nothingUsable("options") }
        return Decoded(
            OptionChain(observedAt: moment, underlyingPrice: underlyingPrice, contracts: contracts),
            refused: reader.refused)
    }
}
