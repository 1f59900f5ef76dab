import FIMLCore

@testable import Broadcast

/// A publication at position `number`-0 of a `size`-byte message.
func publication(
    _ number: UInt64, _ severity: Severity = .high, watchdog: WatchdogName = .priceAnomaly,
    symbol: String = "BTC",
    size: Int = 100
) -> Publication {
    let time = Timestamp(milliseconds: 0)
    let event = WatchdogEvent(
        eventID: "evt_\(number)", type: .priceAnomaly, severity: severity, fingerprint: "0123456789abcdef",
        watchdog: watchdog, asset: nil, assets: [symbol], description: "", timestamp: time, startsAt: time)
    return Publication(
        position: StreamPosition(milliseconds: number, sequence: 0), event: MatchableEvent(event),
        severity: severity, publishedAt: 0,
        message: Array(repeating: UInt8(truncatingIfNeeded: number), count: size))
}
