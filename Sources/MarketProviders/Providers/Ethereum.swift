import FIMLCore
import MarketData

/// A node of Ethereum, asked by JSON-RPC (execution-apis): every request is a POST to the base URL.
public enum Ethereum {
    /// A token that moves by the `Transfer` events of its contract (ERC-20).
    public struct Token: Hashable, Sendable {
        /// Its contract's address, lower case.
        public let contract: String
        /// How many of its smallest units make one.
        public let unitsPerToken: UInt128

        /// Tether's dollar; 6 decimals.
        public static let usdt = Token(
            contract: "0xdac17f958d2ee523a2206206994597c13d831ec7", unitsPerToken: 1_000_000)
        /// Circle's dollar; 6 decimals.
        public static let usdc = Token(
            contract: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", unitsPerToken: 1_000_000)
    }

    /// A transfer of a token, and the number of its block.
    public struct TokenTransfer: Hashable, Sendable {
        /// The number of its block.
        public var block: UInt64
        /// When that was made; nil where the node does not say, as older ones do not.
        public var time: Timestamp?
        /// The transaction's hash; several transfers may have the same.
        public var hash: String
        /// Who paid; the zero address where tokens were made.
        public var from: String
        /// Who received; the zero address where tokens were destroyed.
        public var to: String
        /// In tokens.
        public var amount: Double
    }

    /// keccak-256 of `Transfer(address,address,uint256)`, the first topic of the event (ERC-20).
    private static let transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    /// What makes one ether, in wei.
    static let weiPerEther: UInt128 = 1_000_000_000_000_000_000

    /// The number of the newest block.
    public static func latestBlockNumber() -> Endpoint<UInt64> {
        call("eth_blockNumber", []) { (result, reader) throws(MarketDataError) in
            guard let number = reader.blockNumber(result, at: "result") else {
                throw reader.nothingUsable("block number")
            }
            return number
        }
    }

    /// A block with all its transactions, amounts in ether.
    public static func block(_ number: UInt64) -> Endpoint<Block> {
        call("eth_getBlockByNumber", [.string(hexadecimal(number)), true]) {
            (block, reader) throws(MarketDataError) in
            let header = try reader.header(block, number: number)
            guard let entries = block["transactions"]?.elements else {
                throw MarketDataError("the block has no transactions")
            }
            var transactions: [ChainTransaction] = []
            for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
                let place = "transactions[\(index)]"
                guard
                    let hash = reader.hash(entry["hash"], prefix: "0x", at: "\(place).hash"),
                    let wei = reader.hexadecimal(entry["value"], at: "\(place).value")
                else { continue }
                transactions.append(
                    ChainTransaction(
                        hash: hash, observedAt: header.time, from: AnswerReader.party(entry["from"]),
                        to: AnswerReader.party(entry["to"]), amount: AnswerReader.whole(wei, of: weiPerEther))
                )
            }
            guard reader.refused.count == 0 || !transactions.isEmpty else {
                throw reader.nothingUsable("transaction")
            }
            return Block(header: header, transactions: transactions)
        }
    }

    /// Whether a mined transaction did what it says: one that was reverted stands in its block too, and moved
    /// nothing (EIP-658).
    public static func hasSucceeded(_ hash: String) -> Endpoint<Bool> {
        call("eth_getTransactionReceipt", [.string(hash)]) { (receipt, reader) throws(MarketDataError) in
            guard receipt["transactionHash"]?.text == hash else {
                throw MarketDataError("the answer is not the receipt of \(hash)")
            }
            guard let status = reader.hexadecimal(receipt["status"], at: "status") else {
                throw reader.nothingUsable("receipt")
            }
            return status == 1
        }
    }

    /// What stands at the top of a block.
    public static func header(_ number: UInt64) -> Endpoint<BlockHeader> {
        call("eth_getBlockByNumber", [.string(hexadecimal(number)), false]) {
            (block, reader) throws(MarketDataError) in try reader.header(block, number: number)
        }
    }

    /// The transfers of a token in the blocks from `first` to `last`, in the order of the chain.
    public static func transfers(of token: Token, from first: UInt64, to last: UInt64)
        -> Endpoint<[TokenTransfer]>
    {
        let filter: JSONValue = [
            "fromBlock": .string(hexadecimal(first)), "toBlock": .string(hexadecimal(last)),
            "address": .string(token.contract), "topics": [.string(transferTopic)],
        ]
        return call("eth_getLogs", [filter]) { (logs, reader) throws(MarketDataError) in
            guard let entries = logs.elements else { throw MarketDataError("result is not a list") }
            var transfers: [TokenTransfer] = []
            for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
                // Taken back by a reorganisation of the chain.
                if entry["removed"]?.boolean == true { continue }
                if let transfer = reader.transfer(entry, of: token, at: "result[\(index)]") {
                    transfers.append(transfer)
                }
            }
            guard reader.refused.count == 0 || !transfers.isEmpty else {
                throw reader.nothingUsable("transfer")
            }
            return transfers
        }
    }

    /// A call of JSON-RPC 2.0. Errors come with status 200 and an `error` with a message.
    private static func call<Figures: Sendable>(
        _ method: String, _ parameters: JSONValue,
        read: @escaping @Sendable (JSONValue, inout AnswerReader) throws(MarketDataError) -> Figures
    ) -> Endpoint<Figures> {
        let call: JSONValue = [
            "jsonrpc": "2.0", "id": 1, "method": .string(method), "params": parameters,
        ]
        return Endpoint(.ethereum, ProviderRequest("/", body: call.json)) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let error = answer["error"], error != .null {
                throw MarketDataError(saidByProvider: error["message"])
            }
            guard let result = answer["result"], result != .null else {
                throw MarketDataError("the answer has no result")
            }
            var reader = AnswerReader()
            return Decoded(try read(result, &reader), refused: reader.refused)
        }
    }

    /// A quantity as JSON-RPC writes it: hexadecimal, without leading zeros.
    static func hexadecimal(_ number: UInt64) -> String {
        "0x" + String(number, radix: 16)
    }
}

extension AnswerReader {
    /// The number of a block.
    fileprivate mutating func blockNumber(_ value: JSONValue?, at place: String) -> UInt64? {
        guard let number = hexadecimal(value, at: place) else { return nil }
        // Far beyond what there will be, and safe to count on from.
        guard number < 1 << 48 else {
            refuse(place, "is not the number of a block")
            return nil
        }
        return UInt64(number)
    }

    /// The header of a block, which must be the one that was asked for.
    fileprivate mutating func header(_ block: JSONValue, number: UInt64) throws(MarketDataError)
        -> BlockHeader
    {
        guard blockNumber(block["number"], at: "number") == number else {
            throw MarketDataError("the answer is not block \(number)")
        }
        guard
            let hash = hash(block["hash"], prefix: "0x", at: "hash"),
            let previous = self.hash(block["parentHash"], prefix: "0x", at: "parentHash"),
            let time = hexadecimalSeconds(block["timestamp"], at: "timestamp")
        else { throw nothingUsable("block") }
        return BlockHeader(
            hash: hash, previous: previous, time: time,
            transactionCount: block["transactions"]?.elements?.count ?? 0)
    }

    /// A `Transfer` event: the parties are topics 1 and 2, addresses padded to 32 bytes; the amount is the
    /// data.
    fileprivate mutating func transfer(_ entry: JSONValue, of token: Ethereum.Token, at place: String)
        -> Ethereum.TokenTransfer?
    {
        guard entry["address"]?.text?.lowercased() == token.contract else {
            refuse("\(place).address", "is not the contract that was asked for")
            return nil
        }
        guard
            let block = blockNumber(entry["blockNumber"], at: "\(place).blockNumber"),
            let hash = hash(entry["transactionHash"], prefix: "0x", at: "\(place).transactionHash"),
            let from = self.hash(entry["topics"]?.column(1), prefix: "0x", at: "\(place).topics[1]"),
            let to = self.hash(entry["topics"]?.column(2), prefix: "0x", at: "\(place).topics[2]"),
            let units = hexadecimal(entry["data"], at: "\(place).data")
        else { return nil }
        return Ethereum.TokenTransfer(
            block: block,
            time: entry["blockTimestamp"].flatMap {
                hexadecimalSeconds($0, at: "\(place).blockTimestamp")
            },
            hash: hash, from: "0x" + from.suffix(40), to: "0x" + to.suffix(40),
            amount: Self.whole(units, of: token.unitsPerToken))
    }
}
