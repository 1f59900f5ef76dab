import FIMLCore
import MarketData

/// Bitcoin's blocks as `blockchain.info` tells them: a whole block in one answer.
public enum BlockchainInfo {
    /// The hash of the newest block.
    public static func latestBlockHash() -> Endpoint<String> {
        Endpoint(.blockchainInfo, ProviderRequest("/latestblock")) { body throws(MarketDataError) in
            let answer = try json(body)
            var reader = AnswerReader()
            guard let hash = reader.hash(answer["hash"], at: "hash") else {
                throw reader.nothingUsable("hash")
            }
            return Decoded(hash, refused: reader.refused)
        }
    }

    /// A block with all its transactions, amounts in bitcoins. Nil where `hash` is no hash.
    public static func block(_ hash: String) -> Endpoint<Block>? {
        guard AnswerReader.isHash(hash) else { return nil }
        return Endpoint(.blockchainInfo, ProviderRequest("/rawblock/\(hash)")) {
            body throws(MarketDataError) in try block(in: body, hash: hash)
        }
    }

    private static func block(in body: [UInt8], hash: String) throws(MarketDataError) -> Decoded<Block> {
        let answer = try json(body)
        var reader = AnswerReader()
        guard answer["hash"]?.text == hash else { throw MarketDataError("the answer is not block \(hash)") }
        guard
            let previous = reader.hash(answer["prev_block"], at: "prev_block"),
            let time = reader.seconds(answer["time"], at: "time"),
            let entries = answer["tx"]?.elements
        else { throw reader.nothingUsable("block") }
        var transactions: [ChainTransaction] = []
        for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
            guard let outputs = entry["out"]?.elements else {
                reader.refuse("tx[\(index)].out", "is not a list")
                continue
            }
            let transaction = reader.bitcoinTransaction(
                hash: entry["hash"], from: entry["inputs"]?.column(0)?["prev_out"]?["addr"],
                outputs: outputs.map { BitcoinOutput(address: $0["addr"], satoshis: $0["value"]) },
                observedAt: time, at: "tx[\(index)]")
            if let transaction { transactions.append(transaction) }
        }
        // A block has at least the transaction that pays its maker.
        guard !transactions.isEmpty else { throw reader.nothingUsable("transaction") }
        let header = BlockHeader(
            hash: hash, previous: previous, time: time, transactionCount: entries.count)
        return Decoded(Block(header: header, transactions: transactions), refused: reader.refused)
    }

    /// The JSON of a body. Throws what blockchain.info says is wrong.
    private static func json(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        if answer["error"] != nil { throw MarketDataError(saidByProvider: answer["message"]) }
        return answer
    }
}
