import FIMLCore

/// Gives each snapshot of a series the mean of those before it.
enum DepthMeans {
    /// 2^-50 dollars: whole numbers of it add up without rounding, whatever the window drops and takes. Depth
    /// is at most 1e15 < 2^50, so that 2^23 snapshots, more than a recording may hold, stay below 2^127.
    private static let unitsPerDollar = 0x1p50

    /// `snapshots`, oldest first, each with the mean of the earlier ones that are at most
    /// `MarketDepth.meanSeconds` older.
    static func fill(_ snapshots: inout [MarketDepth]) {
        var first = 0
        var sum: Int128 = 0
        for index in snapshots.indices {
            let earliest = snapshots[index].observedAt.milliseconds - MarketDepth.meanSeconds * 1_000
            while snapshots[first].observedAt.milliseconds < earliest {
                sum -= units(snapshots[first])
                first += 1
            }
            let count = index - first
            snapshots[index].snapshots = count
            snapshots[index].meanUSD = count > 0 ? Double(sum) / unitsPerDollar / Double(count) : nil
            sum += units(snapshots[index])
        }
    }

    private static func units(_ snapshot: MarketDepth) -> Int128 {
        Int128(snapshot.depthUSD * unitsPerDollar)
    }
}
