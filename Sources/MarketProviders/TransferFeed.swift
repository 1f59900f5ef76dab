import FIMLCore
import MarketData

/// Finds large transfers by reading the chains' new blocks.
///
/// Bitcoin's blocks come from blockchain.info, one request a block, or else from Esplora, in pages; those of
/// Ethereum and the events of USDT and USDC from a node. Where a chain cannot be read, and for other assets,
/// Whale Alert is asked, if there is a key.
///
/// What was read is not read again: a call reads what is new since the last, whose large transfers stay known
/// for a day. A call that fails loses nothing: the next goes on where it stopped.
public actor TransferFeed {
    /// How many Bitcoin blocks a call reads at most. One comes in ten minutes, and blockchain.info may be
    /// asked four questions at once: more would wait longer than a check may take. After a start the last
    /// hour is known within two or three calls.
    static let bitcoinBlocksPerCall = 3
    /// How many pages of Esplora a call reads at most: what its rate lets through at once. A block has about
    /// 120; the next calls go on behind the last page.
    static let esploraPagesPerCall = 25
    /// How many Ethereum blocks a call reads at most, 10 minutes of them.
    static let ethereumBlocksPerCall: UInt64 = 50
    /// How many large transfers of ether a call checks for having been reverted. With the blocks they are
    /// what the node's rate lets through within the 10 s that a question may wait.
    static let ethereumReceiptsPerCall = 12
    /// How far apart Ethereum's blocks are, in seconds.
    static let ethereumBlockSeconds: Int64 = 12
    /// How many of the newest Ethereum blocks are left for the next call: behind one address may stand
    /// several nodes, and one that does not know a block yet answers that it has no events, which cannot be
    /// told from a block without any.
    static let ethereumUnsettledBlocks: UInt64 = 2

    /// The assets whose chains are read; of others Whale Alert may know.
    public static let readableSymbols: Set<String> = ["BTC", "ETH", "USDT", "USDC"]

    /// What a call has seen.
    public struct Reading: Hashable, Sendable {
        /// The large transfers, oldest first, each hash once.
        public var transfers: [Transfer]
        /// What of the time asked for was not looked at, a sentence each.
        public var missed: [String]

        /// A reading of both.
        public init(transfers: [Transfer], missed: [String]) {
            self.transfers = transfers
            self.missed = missed
        }
    }

    /// What is known of one asset.
    private struct View {
        var window = TransferWindow()
        /// The Bitcoin blocks that were read, by their hashes.
        var blocks: [String: BlockHeader] = [:]
        /// The Bitcoin blocks of which Esplora told some pages, by their hashes, and which page is next.
        var begun: [String: (header: BlockHeader, nextPage: Int)] = [:]
        /// The last Ethereum block that was read.
        var lastBlock: UInt64?
    }

    /// What a call is about.
    private struct Question {
        let symbol: String
        let now: Timestamp
        let since: Timestamp
        let minUSD: Double
        let usdPrice: Double?
    }

    private let asking: any ProviderAsking
    private let whaleAlertKey: String?
    private var views: [String: View] = [:]

    /// A feed that has read nothing yet; without a key Whale Alert is not asked.
    public init(asking: any ProviderAsking, whaleAlertKey: String?) {
        self.asking = asking
        self.whaleAlertKey = whaleAlertKey
    }

    /// The transfers of at least `minUSD` dollars in the `seconds` (a day at most) up to `now`, by the times
    /// of their blocks, which become known half a minute (Ethereum) or some minutes (Bitcoin) after them.
    ///
    /// `usdPrice` is what one unit is worth; Bitcoin and Ethereum cannot be read without, USDT and USDC are
    /// then taken for a dollar. A transfer keeps the value it had when it was read, and one that was less
    /// than `minUSD` then is not found by a later call that asks for less. Of transfers of a token in one
    /// transaction only the largest counts. Throws when no source answered.
    public func transfers(
        of asset: Asset, at now: Timestamp, within seconds: Int64, minUSD: Double, usdPrice: Double?
    ) async throws(MarketDataError) -> Reading {
        let span = min(max(seconds, 0), TransferWindow.keptSeconds)
        let question = Question(
            symbol: asset.symbol, now: now,
            since: Timestamp(milliseconds: now.milliseconds - span * 1_000), minUSD: minUSD,
            usdPrice: usdPrice)
        guard asset.assetType == .crypto else {
            throw MarketDataError("\(asset.symbol) is not on a chain")
        }
        var missed: [String]
        do {
            missed = try await readChain(question)
        } catch {
            missed = try await readWhaleAlert(question, because: error)
        }
        let found = views[asset.symbol]?.window.transfers(from: question.since, to: now, minUSD: minUSD)
        return Reading(transfers: found ?? [], missed: missed)
    }

    private func readChain(_ question: Question) async throws(MarketDataError) -> [String] {
        switch question.symbol {
        case "BTC": try await readBitcoin(question)
        case "ETH": try await readEther(question)
        case "USDT": try await readToken(.usdt, question)
        case "USDC": try await readToken(.usdc, question)
        default: throw MarketDataError("the chain of \(question.symbol) is not read")
        }
    }

    private func readWhaleAlert(_ question: Question, because error: MarketDataError)
        async throws(MarketDataError) -> [String]
    {
        guard let whaleAlertKey else {
            throw MarketDataError("\(error); Whale Alert is not asked without a key")
        }
        let transfers: [Transfer]
        do {
            transfers = try await asking.ask(
                WhaleAlert.transactions(
                    since: question.since, minUSD: question.minUSD, key: whaleAlertKey,
                    symbol: question.symbol))
        } catch let second {
            throw MarketDataError("\(error); \(second)")
        }
        add(transfers.filter { $0.usdValue >= question.minUSD }, question)
        guard transfers.count >= WhaleAlert.pageSize else { return [] }
        return ["of \(question.symbol) only the first \(transfers.count) transfers were told"]
    }

    private func add(_ transfers: [Transfer], _ question: Question) {
        views[question.symbol, default: View()].window.add(transfers, now: question.now)
    }

    /// Keeps the large ones of a block's transactions.
    private func add(_ transactions: [ChainTransaction], price: Double, _ question: Question) {
        let transfers = transactions.map { transaction in
            Transfer(
                hash: transaction.hash, observedAt: transaction.observedAt, from: transaction.from,
                to: transaction.to, amount: transaction.amount, usdValue: transaction.amount * price)
        }
        add(transfers.filter { $0.usdValue >= question.minUSD && $0.usdValue.isFinite }, question)
    }

    private func price(_ question: Question) throws(MarketDataError) -> Double {
        guard let price = question.usdPrice, price > 0, price.isFinite else {
            throw MarketDataError("without a price of \(question.symbol) its transfers have no value")
        }
        return price
    }
}

// Bitcoin: from the newest block back, through blocks that are known, to the beginning of the time asked for.
extension TransferFeed {
    private func readBitcoin(_ question: Question) async throws(MarketDataError) -> [String] {
        let price = try price(question)
        var hash = try await latestBitcoinBlock()
        var read = 0
        var pages = 0
        // A day has about 144 blocks; a chain of blocks that leads in a circle ends here too.
        for _ in 0..<300 {
            let header: BlockHeader
            if let known = views[question.symbol]?.blocks[hash] {
                header = known
            } else {
                guard read < Self.bitcoinBlocksPerCall,
                    let block = try await readBitcoinBlock(hash, pages: &pages, price: price, question)
                else { return ["Bitcoin's blocks from \(hash) back were not read as a whole"] }
                read += 1
                header = block
                remember(header, question)
            }
            if header.time < question.since { return [] }
            hash = header.previous
        }
        return ["Bitcoin's blocks from \(hash) back were not read as a whole"]
    }

    private func remember(_ header: BlockHeader, _ question: Question) {
        // Some days of blocks. To forget them costs that a few are read twice.
        if let count = views[question.symbol]?.blocks.count, count >= 1_000 {
            views[question.symbol]?.blocks = [:]
        }
        views[question.symbol, default: View()].blocks[header.hash] = header
        views[question.symbol]?.begun[header.hash] = nil
    }

    private func latestBitcoinBlock() async throws(MarketDataError) -> String {
        do {
            return try await asking.ask(BlockchainInfo.latestBlockHash())
        } catch let first {
            do {
                return try await asking.ask(Esplora.latestBlockHash())
            } catch let second {
                throw MarketDataError("\(first); \(second)")
            }
        }
    }

    /// Keeps the large transactions of a block. Nil where Esplora has more pages of it than may be read now.
    private func readBitcoinBlock(
        _ hash: String, pages: inout Int, price: Double, _ question: Question
    ) async throws(MarketDataError) -> BlockHeader? {
        guard let whole = BlockchainInfo.block(hash) else { throw MarketDataError("\(hash) is not a hash") }
        do {
            let block = try await asking.ask(whole)
            add(block.transactions, price: price, question)
            return block.header
        } catch let first {
            do {
                return try await readEsploraBlock(hash, pages: &pages, price: price, question)
            } catch let second {
                throw MarketDataError("\(first); \(second)")
            }
        }
    }

    private func readEsploraBlock(
        _ hash: String, pages: inout Int, price: Double, _ question: Question
    ) async throws(MarketDataError) -> BlockHeader? {
        var (header, page) = try await beginning(of: hash, question)
        while page * Esplora.pageSize < header.transactionCount {
            guard pages < Self.esploraPagesPerCall,
                let endpoint = Esplora.transactions(of: header, from: page * Esplora.pageSize)
            else { return nil }
            pages += 1
            add(try await asking.ask(endpoint), price: price, question)
            page += 1
            views[question.symbol, default: View()].begun[hash] = (header, page)
        }
        return header
    }

    /// A block's header, and which page of it is next.
    private func beginning(of hash: String, _ question: Question) async throws(MarketDataError)
        -> (BlockHeader, Int)
    {
        if let begun = views[question.symbol]?.begun[hash] { return (begun.header, begun.nextPage) }
        guard let top = Esplora.header(hash) else { throw MarketDataError("\(hash) is not a hash") }
        let header = try await asking.ask(top)
        guard header.transactionCount <= AnswerReader.transactionLimit else {
            throw MarketDataError("a block with \(header.transactionCount) transactions is not believed")
        }
        // More than a day's blocks. To forget them costs that some pages are read twice.
        if let count = views[question.symbol]?.begun.count, count >= 300 {
            views[question.symbol]?.begun = [:]
        }
        return (header, 0)
    }
}

// Ethereum: from the last block read to the newest but two.
extension TransferFeed {
    private func readEther(_ question: Question) async throws(MarketDataError) -> [String] {
        let price = try price(question)
        var (blocks, missed) = try await newBlocks(question)
        var receipts = 0
        var unchecked = 0
        for number in blocks {
            var moved: [ChainTransaction] = []
            for transaction in try await asking.ask(Ethereum.block(number)).transactions
            where transaction.amount * price >= question.minUSD {
                if receipts < Self.ethereumReceiptsPerCall {
                    receipts += 1
                    guard try await asking.ask(Ethereum.hasSucceeded(transaction.hash)) else { continue }
                } else {
                    unchecked += 1
                }
                moved.append(transaction)
            }
            add(moved, price: price, question)
            views[question.symbol, default: View()].lastBlock = number
        }
        if unchecked > 0 {
            missed.append("whether \(unchecked) large transfers of ether were reverted was not looked at")
        }
        return missed
    }

    private func readToken(_ token: Ethereum.Token, _ question: Question) async throws(MarketDataError)
        -> [String]
    {
        let price = question.usdPrice == nil ? 1 : try price(question)
        let (blocks, missed) = try await newBlocks(question)
        guard let first = blocks.first, let last = blocks.last else { return missed }
        let transfers = try await asking.ask(Ethereum.transfers(of: token, from: first, to: last))
        var largest: [String: Ethereum.TokenTransfer] = [:]
        for transfer in transfers
        where transfer.amount * price >= question.minUSD && blocks.contains(transfer.block) {
            if let other = largest[transfer.hash], other.amount >= transfer.amount { continue }
            largest[transfer.hash] = transfer
        }
        var times: [UInt64: Timestamp] = [:]
        var transactions: [ChainTransaction] = []
        for transfer in largest.values {
            let time: Timestamp
            if let told = transfer.time ?? times[transfer.block] {
                time = told
            } else {
                time = try await asking.ask(Ethereum.header(transfer.block)).time
                times[transfer.block] = time
            }
            transactions.append(
                ChainTransaction(
                    hash: transfer.hash, observedAt: time, from: transfer.from, to: transfer.to,
                    amount: transfer.amount))
        }
        add(transactions, price: price, question)
        views[question.symbol, default: View()].lastBlock = last
        return missed
    }

    /// The blocks to read now, and what of the time asked for they leave out.
    private func newBlocks(_ question: Question) async throws(MarketDataError) -> (Range<UInt64>, [String]) {
        let told = try await asking.ask(Ethereum.latestBlockNumber())
        let newest = told - min(told, Self.ethereumUnsettledBlocks)
        let span = (question.now.milliseconds - question.since.milliseconds) / 1_000
        let asked = UInt64(max(span, 0) / Self.ethereumBlockSeconds + 1)
        var wanted = newest - min(newest, asked)
        if let last = views[question.symbol]?.lastBlock {
            // A node may lag behind the one that answered before; one that lags far was right, and the other
            // not.
            if last > newest, last - newest <= Self.ethereumBlocksPerCall { return (newest..<newest, []) }
            if last <= newest { wanted = max(wanted, last + 1) }
        }
        let first = newest + 1 - min(newest + 1, Self.ethereumBlocksPerCall)
        guard wanted < first else { return (wanted..<newest + 1, []) }
        return (first..<newest + 1, ["Ethereum's blocks \(wanted) to \(first - 1) were not read"])
    }
}
