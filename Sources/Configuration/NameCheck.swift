/// Finds variables that look like settings and are none, most likely typing errors.
enum NameCheck {
    /// All names with these beginnings are the gateway's own.
    private static let prefixes = [
        "FIML_", "WATCHDOG_", "REPLAY_", "EARNINGS_ANOMALY_", "EARNINGS_SURPRISE_", "UNUSUAL_VOLUME_",
        "WHALE_MOVEMENT_", "FUNDING_RATE_", "LIQUIDITY_DROP_", "CORRELATION_BREAKDOWN_",
        "CORRELATION_CHANGE_", "EXCHANGE_OUTAGE_", "PRICE_ANOMALY_",
    ]
    /// Others use these too: only what is nearly one of the gateway's names is told.
    private static let sharedPrefixes = ["REDIS_", "POSTGRES_", "SESSION_"]
    /// systemd sets these for a service with `WatchdogSec=` (sd_watchdog_enabled(3)).
    private static let namesOfOthers: Set<String> = ["WATCHDOG_PID", "WATCHDOG_USEC"]

    /// What to say about a name that is neither in effect nor known for later; nil where it may well be
    /// another program's.
    static func notice(about name: String, known: some Collection<String>) -> String? {
        let isOwn =
            prefixes.contains(where: name.hasPrefix)
            || (name.hasPrefix("ENABLE_") && name.hasSuffix("_WATCHDOG"))
        let isShared = sharedPrefixes.contains(where: name.hasPrefix)
        guard isOwn || isShared, !namesOfOthers.contains(name) else { return nil }
        let measured = known.map { (name: $0, distance: distance(name, $0)) }
        if isShared {
            guard let nearest = measured.first(where: { $0.distance <= 2 }) else { return nil }
            return "\(name.onOneLine) is no setting; did you mean \(nearest.name)?"
        }
        // More than a third of the letters wrong is no typing error.
        guard
            let nearest = measured.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }),
            nearest.distance * 3 <= name.count
        else { return "\(name.onOneLine) is no setting" }
        return "\(name.onOneLine) is no setting; did you mean \(nearest.name)?"
    }

    /// Letters to insert, delete, replace or swap with a neighbour (optimal string alignment), of at most 64.
    static func distance(_ left: String, _ right: String) -> Int {
        let (left, right) = (Array(left.utf8.prefix(64)), Array(right.utf8.prefix(64)))
        var rows = [Array(0...right.count)]
        for (row, letter) in zip(1..., left) {
            var current = [row]
            for (column, other) in zip(1..., right) {
                var best = rows[row - 1][column - 1] + (letter == other ? 0 : 1)
                best = min(best, rows[row - 1][column] + 1, current[column - 1] + 1)
                if row > 1, column > 1, letter == right[column - 2], left[row - 2] == other {
                    best = min(best, rows[row - 2][column - 2] + 1)
                }
                current.append(best)
            }
            rows.append(current)
        }
        return rows[left.count][right.count]
    }
}
