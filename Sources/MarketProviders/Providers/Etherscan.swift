import FIMLCore
import MarketData

/// Etherscan's view of Ethereum: the transactions of one address.
public enum Etherscan {
    /// The first transactions of an address, oldest first, at most `limit` (10,000); amounts in ether. Those
    /// that failed are left out. Nil where `address` is none.
    public static func transactions(of address: String, limit: Int, key: String)
        -> Endpoint<[ChainTransaction]>?
    {
        let digits = address.dropFirst(2)
        guard address.hasPrefix("0x"), digits.utf8.count == 40, digits.allSatisfy(\.isHexDigit) else {
            return nil
        }
        let query = [
            ["chainid", "1"], ["module", "account"], ["action", "txlist"], ["address", address],
            ["startblock", "0"], ["endblock", "99999999"], ["sort", "asc"], ["page", "1"],
            ["offset", "\(min(max(limit, 1), 10_000))"], ["apikey", key],
        ]
        return Endpoint(.etherscan, ProviderRequest("/api", query: query)) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            // An error is told in words where the list should be.
            guard let entries = answer["result"]?.elements else {
                throw MarketDataError(saidByProvider: answer["result"])
            }
            var reader = AnswerReader()
            var transactions: [ChainTransaction] = []
            for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
                if entry["isError"]?.text == "1" { continue }
                let place = "result[\(index)]"
                guard
                    let hash = AnswerReader.party(entry["hash"]),
                    let time = reader.seconds(entry["timeStamp"], at: "\(place).timeStamp"),
                    let wei = reader.decimalInteger(entry["value"], at: "\(place).value")
                else { continue }
                transactions.append(
                    ChainTransaction(
                        hash: hash, observedAt: time, from: AnswerReader.party(entry["from"]),
                        to: AnswerReader.party(entry["to"]), amount: Double(wei) / Ethereum.weiPerEther))
            }
            guard reader.refused.count == 0 || !transactions.isEmpty else {
                throw reader.nothingUsable("transaction")
            }
            return Decoded(transactions, refused: reader.refused)
        }
    }
}
