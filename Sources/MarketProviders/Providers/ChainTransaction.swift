import FIMLCore

/// A movement of an asset on its chain, as the chain tells it: without a value in dollars.
public struct ChainTransaction: Hashable, Sendable {
    /// The transaction's hash, as its source writes it.
    public var hash: String
    /// When it happened: the time of its block.
    public var observedAt: Timestamp
    /// Who paid: an address; nil where there is none.
    public var from: String?
    /// Who received most of it, the payer's change not counted: an address; nil where there is none.
    public var to: String?
    /// In units of the asset; at least 0. Of a Bitcoin transaction all outputs, change included.
    public var amount: Double

    /// A movement with every part given.
    public init(hash: String, observedAt: Timestamp, from: String?, to: String?, amount: Double) {
        self.hash = hash
        self.observedAt = observedAt
        self.from = from
        self.to = to
        self.amount = amount
    }
}

/// What stands at the top of a block.
public struct BlockHeader: Hashable, Sendable {
    /// The block's hash.
    public var hash: String
    /// The hash of the block before it.
    public var previous: String
    /// When it was made, by its maker's clock.
    public var time: Timestamp
    /// How many transactions it holds.
    public var transactionCount: Int

    /// A header with every part given.
    public init(hash: String, previous: String, time: Timestamp, transactionCount: Int) {
        self.hash = hash
        self.previous = previous
        self.time = time
        self.transactionCount = transactionCount
    }
}

/// A block with its transactions.
public struct Block: Hashable, Sendable {
    /// What stands at its top.
    public var header: BlockHeader
    /// Those that move its chain's own asset.
    public var transactions: [ChainTransaction]

    /// A block with every part given.
    public init(header: BlockHeader, transactions: [ChainTransaction]) {
        self.header = header
        self.transactions = transactions
    }
}
