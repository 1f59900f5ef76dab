import FIMLCore
import MarketData

/// Binance's perpetual futures that are margined in USDT: `fapi.binance.com`.
public enum BinanceFutures {
    /// The rate of the running period. The answer does not tell how long that is: it is taken for eight
    /// hours, which most of these futures have; of one with a shorter period the rate is too small.
    public static func fundingRate(of asset: Asset) -> Endpoint<FundingRate>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let request = ProviderRequest("/fapi/v1/premiumIndex", query: [["symbol", symbol]])
        return Endpoint(.binanceFutures, request) { body throws(MarketDataError) in
            let answer = try Binance.json(body)
            // One future where a symbol was asked for; a server that leaves it aside answers all of them.
            let futures = answer.elements ?? [answer]
            guard let future = futures.first(where: { $0["symbol"]?.text == symbol }) else {
                throw MarketDataError("the answer does not hold \(symbol)")
            }
            var reader = AnswerReader()
            guard
                let rate = reader.fundingRate(future["lastFundingRate"], hours: 8, at: "lastFundingRate"),
                let time = reader.milliseconds(future["time"], at: "time")
            else { throw reader.nothingUsable("funding rate") }
            return Decoded(
                FundingRate(
                    exchange: "binance", rate: rate, knownAt: time,
                    intervalSeconds: AnswerReader.fundingSeconds),
                refused: reader.refused)
        }
    }

    private static func symbol(of asset: Asset) -> String? {
        CryptoPair(asset).map { "\($0.base)USDT" }
    }
}
