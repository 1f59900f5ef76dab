import FIMLCore
import MarketData

/// The options of a chain that expire on the same day: what one judgement is about.
///
/// Of a chain with several days of expiry it is the nearest that is at least a week away: in its last days
/// an option's implied volatility says little of the asset, and the nearest day is where most is traded.
/// Without such a day it is the last of the nearer ones; on the day of its expiry an option still trades.
/// What expired before the chain was taken does not count.
struct OptionSeries {
    /// So many days a series is at least away, where there is one.
    static let minDays: Int64 = 7

    /// The day of expiry.
    let expiresOn: Timestamp
    /// Calendar days from when the chain was taken to expiry; at least 0.
    let days: Int64
    /// In the order of the chain; at least one.
    let contracts: [OptionContract]

    /// The series of a chain; nil where all of it has expired, or nothing is in it. A contract whose strike
    /// is no price is left out.
    init?(of chain: OptionChain) {
        let today = Self.day(of: chain.observedAt)
        var chosen: Int64?
        for contract in chain.contracts where Self.hasStrike(contract) {
            let day = Self.day(of: contract.expiresOn)
            guard day >= today else { continue }
            chosen = chosen.map { Self.isBetter(day - today, than: $0 - today) ? day : $0 } ?? day
        }
        guard let chosen else { return nil }
        contracts = chain.contracts.filter { Self.hasStrike($0) && Self.day(of: $0.expiresOn) == chosen }
        days = chosen - today
        expiresOn = contracts.first?.expiresOn ?? chain.observedAt
    }

    private static func isBetter(_ days: Int64, than other: Int64) -> Bool {
        switch (days >= minDays, other >= minDays) {
        case (true, true): days < other
        case (false, false): days > other
        case (let isFar, _): isFar
        }
    }

    private static func hasStrike(_ contract: OptionContract) -> Bool {
        contract.strike > 0 && contract.strike.isFinite
    }

    /// Days since 1970-01-01, in UTC.
    private static func day(of moment: Timestamp) -> Int64 {
        let (quotient, rest) = moment.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? quotient - 1 : quotient
    }
}
