import FIMLCore
import MarketData

/// The large transfers of one asset's last day, each once. Pure: the time comes in.
struct TransferWindow {
    /// How many are kept; of more, the oldest are dropped.
    static let capacity = 10_000
    /// How long they are kept, in seconds: a day.
    static let keptSeconds: Int64 = 86_400

    /// Oldest first.
    private(set) var transfers: [Transfer] = []
    private var hashes: Set<String> = []

    /// Adds those that are not there yet, then drops what is too old at `now`, and what is too many.
    mutating func add(_ new: [Transfer], now: Timestamp) {
        for transfer in new where hashes.insert(Self.key(transfer)).inserted {
            transfers.append(transfer)
        }
        transfers.sort { ($0.observedAt, $0.hash) < ($1.observedAt, $1.hash) }
        let oldest = Timestamp(milliseconds: now.milliseconds - Self.keptSeconds * 1_000)
        let old = transfers.prefix { $0.observedAt < oldest }.count
        let dropped = transfers.prefix(max(old, transfers.count - Self.capacity))
        for transfer in dropped { hashes.remove(Self.key(transfer)) }
        transfers.removeFirst(dropped.count)
    }

    /// Those of at least `minUSD` from `first` to `last`, oldest first.
    func transfers(from first: Timestamp, to last: Timestamp, minUSD: Double) -> [Transfer] {
        transfers.filter { first <= $0.observedAt && $0.observedAt <= last && $0.usdValue >= minUSD }
    }

    /// Sources differ in whether they write `0x` before a hash.
    private static func key(_ transfer: Transfer) -> String {
        let hash = transfer.hash.lowercased()
        return hash.hasPrefix("0x") ? String(hash.dropFirst(2)) : hash
    }
}
