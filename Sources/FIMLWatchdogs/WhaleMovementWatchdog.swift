import Configuration
import FIMLCore
import MarketData

/// Tells of each transfer on a chain that is worth more than the minimum.
///
/// A transfer happens once, so each is a judgement of its own whose condition ends an hour after it; within
/// that hour it is seen again in each check, so that neither a restart nor a missed check loses it. Beside
/// them each asset that could be seen has one judgement without anomaly: the watchdog looked, and whether
/// anything was large or not, its input is fresh.
public struct WhaleMovementWatchdog: Watchdog {
    /// So many times the minimum is high. FIML has one threshold for all; steps by size keep the loud
    /// severities rare, because transfers of one million dollars are everyday.
    public static let highMultiple = 10.0
    /// So many times the minimum is critical: with the default, 50 million dollars, about a tenth of what
    /// rests within 1 % of Bitcoin's price on its largest market, and so enough to move it.
    public static let criticalMultiple = 50.0
    /// Transfers of at least the last hour are looked at, and their conditions end after it.
    static let windowSeconds: Int64 = 3_600
    /// And of at most the last day.
    static let longestWindowSeconds: Int64 = 86_400
    /// Miners may date a block so far ahead of the clock (Bitcoin's consensus rule).
    static let aheadSeconds: Int64 = 7_200

    /// `whale_movement`.
    public let name = WatchdogName.whaleMovement
    private let settings: Settings.WhaleMovement
    private let assets: [Asset]
    private let source: any TransferSource

    /// Watches `assets`.
    public init(_ settings: Settings.WhaleMovement, assets: [Asset], source: any TransferSource) {
        self.settings = settings
        self.assets = assets
        self.source = source
    }

    /// Two intervals of its checks where they are long, so that no transfer falls between them.
    private var windowSeconds: Int64 {
        min(max(Self.windowSeconds, 2 * schedule.intervalSeconds), Self.longestWindowSeconds)
    }

    /// The symbols of its assets.
    public var subjects: Set<String>? { Set(assets.map(\.symbol)) }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    /// Judges all assets, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        let answers = await source.transfers(
            of: assets, at: moment, within: windowSeconds, minUSD: settings.minUSD)
        return try answers.judgements { asset, transfers in
            transfers.map { judge($0, asset, moment) } ?? []
        }
    }

    private func judge(_ transfers: [Transfer], _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        let large = transfers.filter { transfer in
            guard transfer.isPlausible, transfer.usdValue > settings.minUSD else { return false }
            let age = moment.milliseconds - transfer.observedAt.milliseconds
            return (-Self.aheadSeconds * 1_000..<windowSeconds * 1_000).contains(age)
        }
        let ofEachHash = Dictionary(large.map { ($0.hash, $0) }) { $1.usdValue > $0.usdValue ? $1 : $0 }
            .values.sorted { ($0.observedAt, $0.hash) < ($1.observedAt, $1.hash) }
        return [summary(ofEachHash, asset, moment)] + ofEachHash.map { occurrence($0, asset) }
    }

    /// That the asset's chain was seen.
    private func summary(_ transfers: [Transfer], _ asset: Asset, _ moment: Timestamp) -> Judgement {
        Judgement(
            subject: asset.symbol, assets: [asset], observedAt: moment, anomaly: nil,
            description: "\(asset.symbol): \(transfers.count) large transfers in "
                + Figure.span(seconds: windowSeconds),
            data: ["from": .null, "to": .null, "amount": .null, "usd_value": .null, "tx_hash": .null],
            evidence: evidence(observed: transfers.map(\.usdValue).max() ?? 0))
    }

    private func occurrence(_ transfer: Transfer, _ asset: Asset) -> Judgement {
        let severity: Severity =
            if transfer.usdValue >= settings.minUSD * Self.criticalMultiple {
                .critical
            } else if transfer.usdValue >= settings.minUSD * Self.highMultiple {
                .high
            } else {
                .medium
            }
        return Judgement(
            // One transaction can move two assets, as a swap does: each is told.
            subject: "\(asset.symbol)/\(transfer.hash)", assets: [asset], observedAt: transfer.observedAt,
            anomaly: Anomaly(type: .whaleMovement, severity: severity),
            endsAfterSeconds: windowSeconds,
            description: "\(Figure.decimals(transfer.amount)) \(asset.symbol) worth "
                + "\(Figure.decimals(transfer.usdValue / 1e6)) million US dollars moved"
                + (transfer.from.map { " from \($0)" } ?? "") + (transfer.to.map { " to \($0)" } ?? ""),
            data: [
                "from": transfer.from.map(JSONValue.string) ?? .null,
                "to": transfer.to.map(JSONValue.string) ?? .null, "amount": .number(transfer.amount),
                "usd_value": .number(transfer.usdValue), "tx_hash": .string(transfer.hash),
            ],
            evidence: evidence(observed: transfer.usdValue))
    }

    private func evidence(observed: Double) -> Evidence {
        Evidence(
            rule: "whale_movement.min_usd", operator: "gt", threshold: settings.minUSD, observed: observed,
            windowSeconds: windowSeconds)
    }
}
