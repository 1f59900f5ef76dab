import FIMLCore

// Figures of a watchdog as one node tells them to the others.
extension WatchdogMetrics {
    /// Everything that another node shows: the members of `json` and some more.
    public var record: JSONValue {
        guard case .object(var object) = json else { return json }
        object["is_standing_by"] = .bool(isStandingBy)
        object["events_by_type"] = .object(
            eventsByType.reduce(into: [:]) { $0[$1.key.rawValue] = .integer(Int64($1.value)) })
        return .object(object)
    }

    /// Reads what `record` wrote so many seconds ago; nil where it names no watchdog or no status. Members
    /// that are missing or no figures count as none, and those too large are cut to their bounds, so that no
    /// sum of them overflows.
    public init?(record: JSONValue, ageSeconds: Double = 0) {
        guard let name = record["name"]?.text.flatMap(WatchdogName.init(rawValue:)),
            let status = record["status"]?.text.flatMap(WatchdogStatus.init(rawValue:))
        else { return nil }
        self.init(name: name, status: status)
        isStandingBy = record["is_standing_by"]?.boolean ?? false
        checksPerformed = Self.count(record["checks_performed"])
        checksFailed = min(Self.count(record["checks_failed"]), checksPerformed)
        checksSkipped = Self.count(record["checks_skipped"])
        consecutiveFailures = Self.count(record["consecutive_failures"])
        eventsEmitted = Self.count(record["events_emitted"])
        eventsBySeverity = Self.counts(record["events_by_severity"])
        eventsByType = Self.counts(record["events_by_type"])
        lastCheck = Self.time(record["last_check"])
        lastEvent = Self.time(record["last_event"])
        lastInput = Self.time(record["last_input"])
        lastError = record["last_error"]?.text.map { String($0.prefix(Self.errorCharacters)) }
        minCheckSeconds = Self.seconds(record["min_check_seconds"])
        maxCheckSeconds = Self.seconds(record["max_check_seconds"])
        avgCheckSeconds = Self.seconds(record["avg_check_seconds"])
        judgedInLastCheck = Self.count(record["judged_in_last_check"])
        uptimeSeconds = Self.seconds(record["uptime_seconds"]) ?? 0
        let sinceLastCheck = Self.seconds(record["seconds_since_last_check"]) ?? 0
        secondsSinceLastCheck = sinceLastCheck + (Self.seconds(.number(ageSeconds)) ?? 0)
    }

    /// All digits of such a count survive in any JSON, and eight times four of them can be added.
    private static let maxCount = Int64(1) << 53
    /// Longer than any process runs.
    private static let maxSeconds = 1e12

    private static func count(_ value: JSONValue?) -> Int {
        Int(min(max(value?.int64 ?? 0, 0), maxCount))
    }

    private static func counts<Key: CaseIterable & RawRepresentable<String>>(
        _ value: JSONValue?
    ) -> [Key: Int] {
        Key.allCases.reduce(into: [:]) { counts, key in
            let count = count(value?[key.rawValue])
            if count > 0 { counts[key] = count }
        }
    }

    private static func seconds(_ value: JSONValue?) -> Double? {
        value?.double.map { min(max($0, 0), maxSeconds) }
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.text.flatMap { Timestamp(rfc3339: $0) }
    }
}
