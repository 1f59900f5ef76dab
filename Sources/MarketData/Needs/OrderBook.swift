import FIMLCore

/// The orders that rest at one exchange.
public struct OrderBook: Hashable, Sendable {
    /// Orders at one price.
    public struct Level: Hashable, Sendable {
        /// In the quote currency; greater than 0.
        public var price: Double
        /// In units of the asset; greater than 0.
        public var amount: Double

        /// A level of both.
        public init(price: Double, amount: Double) {
            self.price = price
            self.amount = amount
        }
    }

    /// From when it is.
    public var observedAt: Timestamp
    /// Who wants to buy, best (highest) price first.
    public var bids: [Level]
    /// Who wants to sell, best (lowest) price first.
    public var asks: [Level]

    /// A book of both sides.
    public init(observedAt: Timestamp, bids: [Level], asks: [Level]) {
        self.observedAt = observedAt
        self.bids = bids
        self.asks = asks
    }

    /// Price times amount of all orders within `percent` of the middle between the best bid and the best ask,
    /// both sides together. Nil where a side is empty, or the sides cross.
    public func depth(withinPercent percent: Double) -> Double? {
        guard let bid = bids.first?.price, let ask = asks.first?.price, bid < ask else { return nil }
        let middle = (bid + ask) / 2
        let lowest = middle * (1 - percent / 100)
        let highest = middle * (1 + percent / 100)
        let sides =
            bids.reduce(0) { $1.price >= lowest ? $0 + $1.price * $1.amount : $0 }
            + asks.reduce(0) { $1.price <= highest ? $0 + $1.price * $1.amount : $0 }
        return sides.isFinite ? sides : nil
    }

    /// Whether a book of which only the best `levels` of each side are told holds all orders within `percent`
    /// of the middle: each side has fewer, so it is whole, or ends further away. False where a side is empty.
    public func reaches(_ percent: Double, levels: Int) -> Bool {
        guard let bid = bids.first?.price, let ask = asks.first?.price, let lowest = bids.last?.price,
            let highest = asks.last?.price
        else { return false }
        let middle = (bid + ask) / 2
        return (bids.count < levels || lowest < middle * (1 - percent / 100))
            && (asks.count < levels || highest > middle * (1 + percent / 100))
    }
}
