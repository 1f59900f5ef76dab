extension WatchdogEvent {
    /// The bounds on what an event from outside may carry.
    public enum Limits {
        /// Characters of `event_id`.
        public static let eventID = 64
        /// Characters of `description`.
        public static let description = 1024
        /// Entries of `assets`.
        public static let assets = 32
        /// Bytes of `data`, and of `metadata`, as JSON text.
        public static let objectBytes = 8192
    }

    /// The members in the order they are written.
    private static let names = [
        "event_id", "type", "severity", "status", "fingerprint", "watchdog", "asset", "assets", "description",
        "data", "evidence", "timestamp", "starts_at", "ends_at", "metadata",
    ]

    /// Reads an event as `POST /events` takes it and as the store keeps it.
    ///
    /// Required are `type`, `severity`, `watchdog` and `description`. What is not given, or null, becomes:
    /// `event_id` a new one; `status` firing; `assets` the symbol of `asset`; `fingerprint` the one of
    /// watchdog, type and assets; `timestamp` the moment of receipt; `starts_at` the timestamp; `ends_at` the
    /// timestamp where the status is resolved; `data` and `metadata` empty. `assets` that lack the symbol of
    /// `asset` get it in front; symbols are put into upper case. Throws the first thing that is wrong, by its
    /// path.
    public static func parse(
        _ value: JSONValue, receivedAt: Timestamp, newEventID: () -> String
    ) throws(EventError) -> WatchdogEvent {
        let reader = try MemberReader(value, at: "", allowed: names)
        let type: EventType = try reader.require("type", reader.choice)
        let severity: Severity = try reader.require("severity", reader.choice)
        let watchdog: WatchdogName = try reader.require("watchdog", reader.choice)
        let description = try reader.requiredText("description", limit: Limits.description)
        let status: EventStatus = try reader.choice("status") ?? .firing
        var asset: Asset?
        if let value = reader.value("asset") { asset = try Asset.parse(value, at: "asset") }
        let assets = try symbols(reader, of: asset)
        var evidence: Evidence?
        if let value = reader.value("evidence") { evidence = try Evidence.parse(value, at: "evidence") }
        let timestamp = try reader.timestamp("timestamp") ?? receivedAt
        let startsAt = try reader.timestamp("starts_at") ?? timestamp
        let endsAt = try reader.timestamp("ends_at") ?? (status == .resolved ? max(timestamp, startsAt) : nil)
        if let endsAt, endsAt < startsAt {
            throw InvalidMember(path: "ends_at", problem: "must not be before starts_at")
        }
        return WatchdogEvent(
            eventID: try eventID(reader) ?? newEventID(), type: type, severity: severity, status: status,
            fingerprint: try fingerprint(reader)
                ?? Fingerprint.of(watchdog: watchdog, type: type, assets: assets),
            watchdog: watchdog, asset: asset, assets: assets, description: description,
            data: try reader.object("data", maxBytes: Limits.objectBytes) ?? [:], evidence: evidence,
            timestamp: timestamp, startsAt: startsAt, endsAt: endsAt,
            metadata: try reader.object("metadata", maxBytes: Limits.objectBytes) ?? [:])
    }

    /// As `parse(JSONValue)`, of a text; nil where that would throw. Several times as fast where `write` has
    /// written the text, as what a store gives back is.
    public static func parse(
        _ json: [UInt8], receivedAt: Timestamp, newEventID: () -> String
    ) -> WatchdogEvent? {
        var reader = WrittenEventReader(json)
        if let event = reader.event() { return event }
        guard let value = try? JSONValue.parse(json) else { return nil }
        return try? parse(value, receivedAt: receivedAt, newEventID: newEventID)
    }

    private static func symbols(_ reader: MemberReader, of asset: Asset?) throws(InvalidMember) -> [String] {
        var symbols = asset.map { [$0.symbol] } ?? []
        guard let value = reader.value("assets"), value != .array([]) else { return symbols }
        var listed: [String] = []
        for (index, element) in (try reader.list("assets", limit: Limits.assets) ?? []).enumerated() {
            let symbol = try Asset.symbolInUpperCase(element.text ?? "", at: "assets[\(index)]")
            if !listed.contains(symbol) { listed.append(symbol) }
        }
        symbols.removeAll(where: listed.contains)
        guard symbols.count + listed.count <= Limits.assets else {
            throw InvalidMember(
                path: "assets", problem: "must not have more than \(Limits.assets) entries with that of asset"
            )
        }
        return symbols + listed
    }

    private static func eventID(_ reader: MemberReader) throws(InvalidMember) -> String? {
        guard let text = try reader.text("event_id", limit: Limits.eventID) else { return nil }
        guard isEventID(text) else {
            throw InvalidMember(path: "event_id", problem: "must be printable ASCII without space")
        }
        return text
    }

    static func isEventID(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private static func fingerprint(_ reader: MemberReader) throws(InvalidMember) -> String? {
        guard let text = try reader.text("fingerprint", limit: 16) else { return nil }
        guard Fingerprint.isFingerprint(text) else {
            throw InvalidMember(path: "fingerprint", problem: "must be 16 hexadecimal digits in lower case")
        }
        return text
    }
}

extension WatchdogEvent: JSONWritable {
    /// Writes every member, in the order of the public protocol; `asset`, `evidence` and `ends_at` may be
    /// null.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("event_id", eventID)
        writer.member("type", type)
        writer.member("severity", severity)
        writer.member("status", status)
        writer.member("fingerprint", fingerprint)
        writer.member("watchdog", watchdog)
        writer.member("asset", orNull: asset)
        writer.member("assets", assets)
        writer.member("description", description)
        writer.member("data", JSONValue.object(data))
        writer.member("evidence", orNull: evidence)
        writer.member("timestamp", timestamp)
        writer.member("starts_at", startsAt)
        writer.member("ends_at", orNull: endsAt)
        writer.member("metadata", JSONValue.object(metadata))
        writer.endObject()
    }
}
