import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("Large transfers are found by reading what is new on the chains")
struct TransferFeedTests {
    static let now: Int64 = 1_700_000_000
    let providers = ScriptedProviders()

    // MARK: A chain of Bitcoin blocks, ten minutes apart, block 1 the oldest, each with one payment of 100.

    static func hash(_ number: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: 64 - digits.count) + digits
    }

    static func payment(_ number: Int) -> String { "f" + hash(number).dropFirst() }

    static func bitcoinBlock(_ number: Int, time: Int64, amount: Int = 10_000_000_000) -> String {
        """
        {"hash":"\(hash(number))","prev_block":"\(hash(number - 1))","time":\(time),"tx":[
        {"hash":"\(payment(number))","inputs":[{"prev_out":{"addr":"1Payer"}}],
        "out":[{"value":\(amount),"addr":"1Payee"}]},
        {"hash":"e\(hash(number).dropFirst())","inputs":[],"out":[{"value":1000,"addr":"1Small"}]}]}
        """
    }

    /// Blocks `first` to `last`, of which the last is as old as `age` seconds.
    func bitcoin(_ blocks: ClosedRange<Int>, age: Int64 = 0) {
        for number in blocks {
            let time = Self.now - age - Int64(blocks.upperBound - number) * 600
            providers.answer(
                "/rawblock/\(Self.hash(number))", with: Self.bitcoinBlock(number, time: time))
        }
        providers.answer("/latestblock", with: #"{"hash":"\#(Self.hash(blocks.upperBound))"}"#)
    }

    func read(
        _ feed: TransferFeed, _ symbol: String, seconds: Int64 = 3_600, price: Double? = 20_000,
        at now: Int64 = now
    ) async throws -> TransferFeed.Reading {
        try await feed.transfers(
            of: Asset(symbol: symbol, assetType: .crypto), at: Timestamp(milliseconds: now * 1_000),
            within: seconds, minUSD: 1_000_000, usdPrice: price)
    }

    @Test("Bitcoin: blocks are read back to the beginning of the time asked for, each only once")
    func bitcoinBlocks() async throws {
        bitcoin(1...3)
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let first = try await read(feed, "BTC", seconds: 900)
        #expect(first.transfers.map(\.hash) == [Self.payment(2), Self.payment(3)])
        #expect(first.missed == [])
        #expect(
            first.transfers.last
                == Transfer(
                    hash: Self.payment(3), observedAt: Timestamp(milliseconds: Self.now * 1_000),
                    from: "1Payer", to: "1Payee", amount: 100, usdValue: 2_000_000))
        // Block 1 is too old, and is read to know that.
        #expect(providers.asked().count == 4)
        _ = try await read(feed, "BTC", seconds: 900)
        #expect(providers.asked() == ["/latestblock"])
        bitcoin(2...4)
        let second = try await read(feed, "BTC", seconds: 900)
        #expect(second.transfers.map(\.hash).contains(Self.payment(4)))
        #expect(providers.asked() == ["/latestblock", "/rawblock/\(Self.hash(4))"])
    }

    @Test(
        "Bitcoin: of a longer time three blocks are read, what is missing is said and read by the next calls")
    func bitcoinGap() async throws {
        bitcoin(1...20)
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let first = try await read(feed, "BTC", seconds: 6_000)
        #expect(first.transfers.count == 3)
        #expect(first.missed == ["Bitcoin's blocks from \(Self.hash(17)) back were not read as a whole"])
        #expect(providers.asked().count == 4)
        _ = try await read(feed, "BTC", seconds: 6_000)
        _ = try await read(feed, "BTC", seconds: 6_000)
        let last = try await read(feed, "BTC", seconds: 6_000)
        #expect(last.transfers.count == 11)
        #expect(last.missed == [])
    }

    @Test("Bitcoin: where blockchain.info does not answer, Esplora's pages are read, to the same transfers")
    func esplora() async throws {
        bitcoin(1...1, age: 5_000)
        providers.answer("/latestblock", with: nil)
        providers.answer("/api/blocks/tip/hash", with: Self.hash(2))
        providers.answer(
            "/api/block/\(Self.hash(2))",
            with: """
                {"id":"\(Self.hash(2))","timestamp":\(Self.now),"tx_count":26,
                "previousblockhash":"\(Self.hash(1))"}
                """)
        for (start, number) in [(0, 2), (25, 3)] {
            providers.answer(
                "/api/block/\(Self.hash(2))/txs/\(start)",
                with: """
                    [{"txid":"\(Self.payment(number))","vin":[],
                    "vout":[{"scriptpubkey_address":"1Payee","value":10000000000}]}]
                    """)
        }
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let reading = try await read(feed, "BTC")
        #expect(reading.transfers.map(\.hash) == [Self.payment(2), Self.payment(3)])
        #expect(reading.missed == [])
        #expect(providers.asked().contains("/api/block/\(Self.hash(2))/txs/25"))
    }

    @Test("Bitcoin: of a block that Esplora tells in many pages each call reads 25, until it is whole")
    func esploraPages() async throws {
        // 3,000 transactions, one in each page of 25.
        providers.answer("/api/blocks/tip/hash", with: Self.hash(2))
        providers.answer(
            "/api/block/\(Self.hash(2))",
            with: """
                {"id":"\(Self.hash(2))","timestamp":\(Self.now - 60),"tx_count":3000,
                "previousblockhash":"\(Self.hash(1))"}
                """)
        for page in 0..<120 {
            providers.answer(
                "/api/block/\(Self.hash(2))/txs/\(page * 25)",
                with: """
                    [{"txid":"\(Self.payment(page))","vin":[],
                    "vout":[{"scriptpubkey_address":"1Payee","value":10000000000}]}]
                    """)
        }
        providers.answer("/rawblock/\(Self.hash(1))", with: Self.bitcoinBlock(1, time: Self.now - 5_000))
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        var pages: [String] = []
        for call in 1...4 {
            let reading = try await read(feed, "BTC")
            #expect(reading.transfers.count == call * 25)
            #expect(
                reading.missed == ["Bitcoin's blocks from \(Self.hash(2)) back were not read as a whole"])
            pages += providers.asked().filter { $0.contains("/txs/") }
        }
        // A page that fails is asked for again, those before it are not.
        let page = "/api/block/\(Self.hash(2))/txs/\(110 * 25)"
        providers.answer(page, with: nil)
        await #expect(throws: MarketDataError.self) { _ = try await read(feed, "BTC") }
        pages += providers.asked().filter { $0.contains("/txs/") && $0 != page }
        providers.answer(
            page, with: #"[{"txid":"\#(Self.payment(110))","vin":[],"vout":[{"value":10000000000}]}]"#)
        let last = try await read(feed, "BTC")
        #expect(last.transfers.count == 120)
        #expect(last.missed == [])
        pages += providers.asked().filter { $0.contains("/txs/") }
        #expect(pages == (0..<120).map { "/api/block/\(Self.hash(2))/txs/\($0 * 25)" })
    }

    @Test("Bitcoin: blocks that lead in a circle, and a block of too many transactions, end")
    func hostileBitcoin() async throws {
        providers.answer("/latestblock", with: #"{"hash":"\#(Self.hash(5))"}"#)
        providers.answer(
            "/rawblock/\(Self.hash(5))",
            with: Self.bitcoinBlock(5, time: Self.now).replacing(Self.hash(4), with: Self.hash(5)))
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let reading = try await read(feed, "BTC")
        #expect(reading.transfers.count == 1)
        #expect(reading.missed.count == 1)
        providers.answer("/latestblock", with: #"{"hash":"\#(Self.hash(6))"}"#)
        providers.answer(
            "/api/block/\(Self.hash(6))",
            with: """
                {"id":"\(Self.hash(6))","timestamp":\(Self.now),"tx_count":1000000000,
                "previousblockhash":"\(Self.hash(5))"}
                """)
        await #expect(throws: MarketDataError.self) { _ = try await read(feed, "BTC") }
    }

    // MARK: Ethereum

    static func call(_ method: String, _ number: UInt64, _ whole: Bool) -> String {
        "\(method)[\"\(Ethereum.hexadecimal(number))\",\(whole)]"
    }

    /// A block with one transaction of 1,000 ether, twelve seconds apart, number 1,000 being from `now`.
    static func etherBlock(_ number: UInt64, hash: String? = nil) -> String {
        let time = UInt64(now) - (1_000 - number) * 12
        return """
            {"jsonrpc":"2.0","id":1,"result":{"number":"\(Ethereum.hexadecimal(number))",
            "hash":"0x\(Self.hash(Int(number)))","parentHash":"0x\(Self.hash(Int(number) - 1))",
            "timestamp":"\(Ethereum.hexadecimal(time))","transactions":[
            {"hash":"\(hash ?? "0x" + payment(Int(number)))","from":"\(CryptoFixtures.party)",
            "to":"\(CryptoFixtures.otherParty)","value":"0x3635c9adc5dea00000"},
            {"hash":"0xe\(Self.hash(Int(number)).dropFirst())","from":"\(CryptoFixtures.party)",
            "to":null,"value":"0x1"}]}}
            """
    }

    /// Answers a block and the receipt of its large transaction, which was reverted where `status` is 0.
    func ether(_ number: UInt64, status: Int = 1) {
        let hash = "0x" + Self.payment(Int(number))
        providers.answer(Self.call("eth_getBlockByNumber", number, true), with: Self.etherBlock(number))
        providers.answer(
            "eth_getTransactionReceipt[\"\(hash)\"]",
            with: #"{"id":1,"result":{"transactionHash":"\#(hash)","status":"0x\#(status)"}}"#)
    }

    /// Tells a newest block behind which `number` is the last that all nodes may be expected to know.
    func settledBlock(_ number: UInt64) {
        let newest = Ethereum.hexadecimal(number + 2)
        providers.answer("eth_blockNumber[]", with: #"{"id":1,"result":"\#(newest)"}"#)
    }

    @Test("Ether: blocks that are new since the last call are read, in their order")
    func ether() async throws {
        settledBlock(999)
        for number in UInt64(900)...1_000 {
            ether(number)
        }
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let first = try await read(feed, "ETH", seconds: 60)
        #expect(first.transfers.count == 5)
        #expect(first.transfers.last?.amount == 1_000)
        #expect(first.transfers.last?.usdValue == 20_000_000)
        #expect(first.missed == [])
        _ = providers.asked()
        settledBlock(1_000)
        let second = try await read(feed, "ETH", seconds: 60)
        #expect(second.transfers.last?.hash == "0x" + Self.payment(1_000))
        #expect(
            providers.asked() == [
                "eth_blockNumber[]", Self.call("eth_getBlockByNumber", 1_000, true),
                "eth_getTransactionReceipt[\"0x\(Self.payment(1_000))\"]",
            ])
        // A node that lags a little behind tells nothing new, and nothing is forgotten.
        settledBlock(990)
        #expect(try await read(feed, "ETH", seconds: 60).transfers == second.transfers)
    }

    @Test("Ether: of a longer time fifty blocks are read, and which are missing is said")
    func etherGap() async throws {
        settledBlock(1_000)
        for number in UInt64(900)...1_000 {
            ether(number)
        }
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let reading = try await read(feed, "ETH", seconds: 900)
        #expect(reading.transfers.count == 50)
        #expect(
            reading.missed == [
                "Ethereum's blocks 924 to 950 were not read",
                "whether 38 large transfers of ether were reverted was not looked at",
            ])
        #expect(providers.asked().count { $0.hasPrefix("eth_getTransactionReceipt") } == 12)
    }

    @Test("Ether: a transfer that was reverted moved nothing")
    func etherReverted() async throws {
        settledBlock(1_000)
        for number in UInt64(994)...1_000 { ether(number, status: number == 999 ? 0 : 1) }
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let reading = try await read(feed, "ETH", seconds: 24)
        #expect(reading.transfers.map(\.hash) == ["0x" + Self.payment(998), "0x" + Self.payment(1_000)])
        #expect(reading.missed == [])
    }

    @Test("Ether: a call that fails half way loses nothing: the next goes on where it stopped")
    func etherFailure() async throws {
        settledBlock(1_000)
        for number in UInt64(994)...998 {
            ether(number)
        }
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        await #expect(throws: MarketDataError.self) { _ = try await read(feed, "ETH", seconds: 60) }
        _ = providers.asked()
        for number in UInt64(999)...1_000 {
            ether(number)
        }
        let reading = try await read(feed, "ETH", seconds: 60)
        #expect(reading.transfers.count == 6)
        #expect(providers.asked().count { $0.hasPrefix("eth_getBlockByNumber") } == 2)
    }

    @Test(
        "A token's transfers are the large events of its contract, the largest of a transaction, at a dollar")
    func token() async throws {
        settledBlock(1_000)
        let filter: JSONValue = [
            "fromBlock": "0x3e2", "toBlock": "0x3e8", "address": .string(Ethereum.Token.usdt.contract),
            "topics": ["0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"],
        ]
        let one = CryptoFixtures.hash[2]
        let other = CryptoFixtures.hash[3]
        // 2, 3 and 1 million dollars less a cent, and 5 million in a block that was not asked for.
        let logs = [
            CryptoFixtures.log(units: "1d1a94a2000", index: 0, block: "0x3e8", hash: one),
            CryptoFixtures.log(units: "2ba7def3000", index: 1, block: "0x3e8", hash: one),
            CryptoFixtures.log(units: "e8d4a4e8f0", index: 2, block: "0x3e8", hash: other),
            CryptoFixtures.log(units: "48c27395000", index: 3, block: "0x3e9", hash: other),
        ]
        providers.answer(
            "eth_getLogs[\(String(decoding: filter.json, as: UTF8.self))]",
            with: #"{"id":1,"result":[\#(logs.joined(separator: ","))]}"#)
        providers.answer(Self.call("eth_getBlockByNumber", 1_000, false), with: Self.etherBlock(1_000))
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        let reading = try await read(feed, "USDT", seconds: 60, price: nil)
        #expect(
            reading.transfers == [
                Transfer(
                    hash: "0x" + one, observedAt: Timestamp(milliseconds: Self.now * 1_000),
                    from: CryptoFixtures.party, to: CryptoFixtures.otherParty, amount: 3_000_000,
                    usdValue: 3_000_000)
            ])
        #expect(providers.asked().count == 3)
    }

    @Test("A token's events are not asked for of the newest two blocks, which some nodes do not know yet")
    func unsettled() async throws {
        for (newest, last) in [(UInt64(1_000), "0x3e6"), (1, "0x0")] {
            providers.answer(
                "eth_blockNumber[]", with: #"{"id":1,"result":"\#(Ethereum.hexadecimal(newest))"}"#)
            let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
            _ = try? await read(feed, "USDC", seconds: 60, price: nil)
            let logs = try #require(providers.asked().last)
            #expect(logs.hasPrefix("eth_getLogs") && logs.contains("\"toBlock\":\"\(last)\""), "\(logs)")
        }
    }

    @Test("Solana is told by Whale Alert alone, and not without a key")
    func whaleAlert() async throws {
        await #expect(throws: MarketDataError.self) {
            _ = try await read(TransferFeed(asking: providers, whaleAlertKey: nil), "SOL")
        }
        #expect(providers.asked() == [])
        providers.answer("/v1/transactions", with: CryptoFixtures.whales)
        let feed = TransferFeed(asking: providers, whaleAlertKey: "KEY")
        let reading = try await read(feed, "SOL", price: nil, at: Self.now + 60)
        #expect(reading.transfers.map(\.usdValue) == [1_200_000, 3_000_030])
        #expect(
            try await read(feed, "SOL", seconds: 30, price: nil, at: Self.now + 60).transfers.count == 1)
    }

    @Test("Where a chain does not answer, Whale Alert does; the same transaction counts once")
    func fallback() async throws {
        settledBlock(1_000)
        for number in UInt64(994)...1_000 {
            ether(number)
        }
        providers.answer(
            "/v1/transactions",
            with: """
                {"result":"success","count":2,"transactions":[
                {"symbol":"eth","hash":"\(Self.payment(1_000))","timestamp":\(Self.now),"amount":1000,
                "amount_usd":20000000},
                {"symbol":"eth","hash":"\(Self.payment(1_001))","timestamp":\(Self.now + 1),"amount":1000,
                "amount_usd":20000000}]}
                """)
        let feed = TransferFeed(asking: providers, whaleAlertKey: "KEY")
        #expect(try await read(feed, "ETH", seconds: 12).transfers.count == 2)
        providers.answer("eth_blockNumber[]", with: nil)
        let reading = try await read(feed, "ETH", seconds: 12, at: Self.now + 2)
        #expect(reading.transfers.map(\.hash) == ["0x" + Self.payment(1_000), Self.payment(1_001)])
    }

    @Test("Without a price Bitcoin and ether have no value, and other assets no chain")
    func unanswerable() async throws {
        let feed = TransferFeed(asking: providers, whaleAlertKey: nil)
        for (symbol, price) in [("BTC", nil), ("ETH", 0), ("ETH", Double.nan), ("DOGE", 1)]
            as [(String, Double?)]
        {
            await #expect(throws: MarketDataError.self) { _ = try await read(feed, symbol, price: price) }
        }
        await #expect(throws: MarketDataError.self) {
            _ = try await feed.transfers(
                of: Asset(symbol: "BTC", assetType: .equity), at: Timestamp(milliseconds: 0), within: .max,
                minUSD: 1, usdPrice: 1)
        }
    }

    @Test("The window keeps a day, 10,000 at most, and each transaction once")
    func window() {
        func transfer(_ number: Int, at second: Int64) -> Transfer {
            Transfer(
                hash: "0x\(number)", observedAt: Timestamp(milliseconds: second * 1_000), from: nil, to: nil,
                amount: 1, usdValue: 1)
        }
        var window = TransferWindow()
        let moment = Timestamp(milliseconds: Self.now * 1_000)
        window.add([transfer(1, at: Self.now - 86_401), transfer(2, at: Self.now - 86_400)], now: moment)
        #expect(window.transfers.map(\.hash) == ["0x2"])
        window.add((0..<12_000).map { transfer($0, at: Self.now - 20_000 + Int64($0)) }, now: moment)
        #expect(window.transfers.count == 10_000)
        #expect(window.transfers.first?.hash == "0x2000")
        window.add([transfer(11_999, at: Self.now)], now: moment)
        #expect(window.transfers.count == 10_000)
        #expect(window.transfers(from: moment, to: moment, minUSD: 0) == [])
    }
}
