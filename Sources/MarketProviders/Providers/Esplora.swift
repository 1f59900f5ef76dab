import FIMLCore
import MarketData

/// Bitcoin's blocks as Esplora tells them (`mempool.space`, `blockstream.info`): in pages.
public enum Esplora {
    /// How many transactions a page has, but for the last one of a block.
    public static let pageSize = 25

    /// The hash of the newest block; the body is nothing else.
    public static func latestBlockHash() -> Endpoint<String> {
        Endpoint(.esplora, ProviderRequest("/api/blocks/tip/hash")) { body throws(MarketDataError) in
            let text = String(decoding: body.prefix(64), as: UTF8.self)
            guard AnswerReader.isHash(text), body.dropFirst(64).allSatisfy({ [0x0A, 0x0D].contains($0) })
            else { throw MarketDataError("the answer is not a hash") }
            return Decoded(text)
        }
    }

    /// What stands at the top of a block. Nil where `hash` is no hash.
    public static func header(_ hash: String) -> Endpoint<BlockHeader>? {
        guard AnswerReader.isHash(hash) else { return nil }
        return Endpoint(.esplora, ProviderRequest("/api/block/\(hash)")) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            var reader = AnswerReader()
            guard answer["id"]?.text == hash else {
                throw MarketDataError("the answer is not block \(hash)")
            }
            guard
                let previous = reader.hash(answer["previousblockhash"], at: "previousblockhash"),
                let time = reader.seconds(answer["timestamp"], at: "timestamp"),
                let count = reader.count(answer["tx_count"], at: "tx_count")
            else { throw reader.nothingUsable("block") }
            let header = BlockHeader(hash: hash, previous: previous, time: time, transactionCount: count)
            return Decoded(header, refused: reader.refused)
        }
    }

    /// Up to 25 transactions of a block, from number `start` on, which is a multiple of 25; amounts in bitcoins.
    /// Nil where `start` is none.
    public static func transactions(of block: BlockHeader, from start: Int) -> Endpoint<[ChainTransaction]>? {
        guard AnswerReader.isHash(block.hash), start >= 0, start.isMultiple(of: pageSize) else { return nil }
        let request = ProviderRequest("/api/block/\(block.hash)/txs/\(start)")
        return Endpoint(.esplora, request) { body throws(MarketDataError) in
            try transactions(in: body, observedAt: block.time)
        }
    }

    /// The transactions of a page, all at the time of their block.
    static func transactions(in body: [UInt8], observedAt: Timestamp) throws(MarketDataError)
        -> Decoded<[ChainTransaction]>
    {
        let answer = try AnswerReader.json(body)
        guard let entries = answer.elements else { throw MarketDataError("the answer is not a list") }
        var reader = AnswerReader()
        var transactions: [ChainTransaction] = []
        for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
            guard let outputs = entry["vout"]?.elements else {
                reader.refuse("[\(index)].vout", "is not a list")
                continue
            }
            let transaction = reader.bitcoinTransaction(
                hash: entry["txid"], from: entry["vin"]?.column(0)?["prevout"]?["scriptpubkey_address"],
                outputs: outputs.map {
                    BitcoinOutput(address: $0["scriptpubkey_address"], satoshis: $0["value"])
                },
                observedAt: observedAt, at: "[\(index)]")
            if let transaction { transactions.append(transaction) }
        }
        guard !transactions.isEmpty else { throw reader.nothingUsable("transaction") }
        return Decoded(transactions, refused: reader.refused)
    }
}
