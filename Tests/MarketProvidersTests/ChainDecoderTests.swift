import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("Chains: what their sources are asked, and what is read out of their answers")
struct ChainDecoderTests {
    static let time = Timestamp(milliseconds: 1_700_000_000_000)
    static let hash = CryptoFixtures.hash

    /// What both sources of Bitcoin must read out of their fixture, which tell of the same block.
    static let bitcoin = [
        ChainTransaction(hash: hash[2], observedAt: time, from: nil, to: "1Miner", amount: 6.25),
        ChainTransaction(hash: hash[3], observedAt: time, from: "1Payer", to: "1Payee", amount: 30),
    ]

    @Test("A Bitcoin block: the first input's owner, the largest payee, the sum of outputs")
    func blockchainInfo() throws {
        #expect(
            try BlockchainInfo.latestBlockHash().decode([UInt8](CryptoFixtures.latestBlock.utf8)).figures
                == Self.hash[0])
        let endpoint = try #require(BlockchainInfo.block(Self.hash[0]))
        #expect(endpoint.request.line == "/rawblock/\(Self.hash[0])")
        let block = try endpoint.decode([UInt8](CryptoFixtures.rawBlock.utf8)).figures
        #expect(block.transactions == Self.bitcoin)
        #expect(
            block.header
                == BlockHeader(
                    hash: Self.hash[0], previous: Self.hash[1], time: Self.time, transactionCount: 2))
    }

    @Test("The same block from Esplora reads the same")
    func esplora() throws {
        #expect(
            try Esplora.latestBlockHash().decode([UInt8]((CryptoFixtures.tipHash + "\n").utf8)).figures
                == Self.hash[0])
        let header = try #require(Esplora.header(Self.hash[0]))
            .decode([UInt8](CryptoFixtures.esploraBlock.utf8)).figures
        #expect(
            header
                == BlockHeader(
                    hash: Self.hash[0], previous: Self.hash[1], time: Self.time, transactionCount: 2))
        let page = try #require(Esplora.transactions(of: header, from: 50))
        #expect(page.request.line == "/api/block/\(Self.hash[0])/txs/50")
        #expect(try page.decode([UInt8](CryptoFixtures.esploraPage.utf8)).figures == Self.bitcoin)
        #expect(Esplora.transactions(of: header, from: 7) == nil)
        #expect(Esplora.transactions(of: header, from: -25) == nil)
    }

    /// Outputs in satoshis, and who received most.
    static let payees: [([(String?, Int)], String?)] = [
        ([("1Payer", 900), ("1Payee", 100)], "1Payee"),
        ([("1Other", 10), ("1Payer", 900), ("1Payee", 100)], "1Payee"),
        ([("1Payer", 900), (nil, 100)], nil),
        // Who pays themselves alone.
        ([("1Payer", 900), ("1Payer", 100)], "1Payer"),
    ]

    @Test(
        "Change that goes back to the payer makes nobody the receiver, and counts in the sum",
        arguments: payees)
    func change(outputs: [(String?, Int)], to: String?) throws {
        var reader = AnswerReader()
        let transaction = reader.bitcoinTransaction(
            hash: .string(Self.hash[2]), from: "1Payer",
            outputs: outputs.map { address, satoshis in
                BitcoinOutput(address: address.map { .string($0) }, satoshis: .integer(Int64(satoshis)))
            },
            observedAt: Self.time, at: "tx[0]")
        #expect(transaction?.to == to)
        #expect(transaction?.amount == Double(outputs.reduce(0) { $0 + $1.1 }) / 1e8)
    }

    /// What a node says of a transaction; nil where that is nothing.
    static let receipts: [(String, Bool?)] = [
        (#"{"transactionHash":"0xab","status":"0x1"}"#, true),
        (#"{"transactionHash":"0xab","status":"0x0"}"#, false),
        (#"{"transactionHash":"0xcd","status":"0x1"}"#, nil),
        (#"{"transactionHash":"0xab"}"#, nil), (#"{"transactionHash":"0xab","status":1}"#, nil),
        ("null", nil),
    ]

    @Test("A receipt tells whether its transaction was reverted (EIP-658)", arguments: receipts)
    func receipt(result: String, hasSucceeded: Bool?) {
        let body = [UInt8](#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#.utf8)
        #expect((try? Ethereum.hasSucceeded("0xab").decode(body).figures) == hasSucceeded)
    }

    @Test("What is no hash does not come into a URL", arguments: ["", "../x", hash[0] + "0", "zz"])
    func noHash(text: String) {
        #expect(BlockchainInfo.block(text) == nil)
        #expect(Esplora.header(text) == nil)
    }

    @Test("An Ethereum block's amounts are wei in hexadecimal, read to the nearest double")
    func ethereumBlock() throws {
        #expect(
            try Ethereum.latestBlockNumber().decode([UInt8](CryptoFixtures.blockNumber.utf8)).figures
                == 18_492_220)
        let endpoint = Ethereum.block(100)
        #expect(endpoint.request.path == "/")
        #expect(
            try JSONValue.parse(endpoint.request.body ?? [])
                == ["jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["0x64", true]])
        let block = try endpoint.decode([UInt8](CryptoFixtures.ethereumBlock.utf8)).figures
        #expect(block.header.time == Self.time)
        #expect(block.header.transactionCount == 2)
        #expect(block.transactions.map(\.amount) == [1_234.5, 0])
        #expect(block.transactions.map(\.to) == [CryptoFixtures.otherParty, nil])
        #expect(block.transactions.first?.hash == "0x" + Self.hash[2])
    }

    @Test("Transfers of a token are read out of its events, six decimals, parties out of 32 bytes")
    func logs() throws {
        let endpoint = Ethereum.transfers(of: .usdt, from: 99, to: 100)
        let filter: JSONValue = [
            "fromBlock": "0x63", "toBlock": "0x64",
            "address": "0xdac17f958d2ee523a2206206994597c13d831ec7",
            "topics": ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"],
        ]
        #expect(
            try JSONValue.parse(endpoint.request.body ?? [])
                == ["jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [filter]])
        let transfers = try endpoint.decode([UInt8](CryptoFixtures.logs.utf8)).figures
        #expect(transfers.map(\.amount) == [2_000_000.5, 1])
        #expect(transfers.first?.block == 100)
        #expect(transfers.first?.from == CryptoFixtures.party)
        #expect(transfers.first?.to == CryptoFixtures.otherParty)
        #expect(transfers.first?.time == nil)
        let timed = CryptoFixtures.logs.replacing(
            #""removed":false"#, with: #""removed":false,"blockTimestamp":"0x6553f100""#)
        #expect(try endpoint.decode([UInt8](timed.utf8)).figures.first?.time == Self.time)
        let removed = CryptoFixtures.logs.replacing(#""removed":false"#, with: #""removed":true"#)
        #expect(try endpoint.decode([UInt8](removed.utf8)).figures == [])
        #expect(
            throws: MarketDataError.self,
            "USDC's contract was asked for"
        ) { try Ethereum.transfers(of: .usdc, from: 99, to: 100).decode([UInt8](CryptoFixtures.logs.utf8)) }
    }

    @Test("Whale Alert: oldest first, owners before addresses, the key not in the query")
    func whaleAlert() throws {
        let endpoint = WhaleAlert.transactions(since: Self.time, minUSD: 1e6, key: "KEY", symbol: "SOL")
        #expect(
            endpoint.request.line
                == "/v1/transactions?start=1700000000&min_value=1000000&limit=100&currency=sol")
        #expect(endpoint.request.fields == [["X-WA-API-KEY", "KEY"]])
        let transfers = try endpoint.decode([UInt8](CryptoFixtures.whales.utf8)).figures
        #expect(
            transfers.last
                == Transfer(
                    hash: CryptoFixtures.signatures[0],
                    observedAt: Timestamp(milliseconds: 1_700_000_060_000), from: "kraken",
                    to: "def", amount: 50_000.5, usdValue: 3_000_030))
        #expect(transfers.map(\.hash) == CryptoFixtures.signatures.reversed())
        let others = WhaleAlert.transactions(since: Self.time, minUSD: .nan, key: "KEY", symbol: "BTC")
        #expect(try others.decode([UInt8](CryptoFixtures.whales.utf8)).figures == [])
        #expect(others.request.query.contains(["min_value", "500000"]))
        let quiet = #"{"result":"success","cursor":"c","count":0}"#
        #expect(try endpoint.decode([UInt8](quiet.utf8)).figures == [])
    }

    @Test(
        "Integers in hexadecimal are read up to 128 bits, zeros before them not counted",
        arguments: [
            ("0x0", 0), ("0xff", 255),
            ("0x00000000000000000000000000000000000000000000000000000000000000FF", 255),
            ("0xde0b6b3a7640000", 1e18), ("0x52b7d2dcc80cd2e4000000", 1e26),
            ("0xffffffffffffffffffffffffffffffff", 0x1p128),
        ] as [(String, Double)])
    func hexadecimal(text: String, expected: Double) {
        var reader = AnswerReader()
        #expect(reader.hexadecimal(.string(text), at: "x").map { Double($0) } == expected)
    }

    @Test(
        "What is no such integer is refused",
        arguments: [
            "", "0x", "ff", "0x-1", "0x+1", "0xg", "0x1 ", "0x１",
            "0x100000000000000000000000000000000",
            "0x" + String(repeating: "f", count: 64), "0x" + String(repeating: "0", count: 65),
        ])
    func notHexadecimal(text: String) {
        var reader = AnswerReader()
        #expect(reader.hexadecimal(.string(text), at: "x") == nil)
        #expect(reader.refused.count == 1)
    }
}
