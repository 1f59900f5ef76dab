import FIMLCore

/// A movement of an asset on its chain.
public struct Transfer: Hashable, Sendable {
    /// The transaction's hash, as its chain writes it.
    public var hash: String
    /// When it happened: for a mined one the time of its block.
    public var observedAt: Timestamp
    /// Who paid: an address or an owner's name; nil where it is not known.
    public var from: String?
    /// Who received most of it, the payer's change not counted; nil where it is not known.
    public var to: String?
    /// In units of the asset; at least 0. Of a Bitcoin transaction all outputs, change included.
    public var amount: Double
    /// In US dollars at the time; at least 0.
    public var usdValue: Double

    /// A transfer with every part given.
    public init(
        hash: String, observedAt: Timestamp, from: String?, to: String?, amount: Double, usdValue: Double
    ) {
        self.hash = hash
        self.observedAt = observedAt
        self.from = from
        self.to = to
        self.amount = amount
        self.usdValue = usdValue
    }
}
