/// Reads an event's text as `WatchdogEvent.write` puts it: every member in its place and no space between.
/// That takes a fraction of the time that members in any order take, and a store gives back thousands at
/// once.
///
/// What is written otherwise is nil here and left to the parser of everything; so is whatever that one would
/// complete or refuse. What is taken is what that parser makes of it.
struct WrittenEventReader {
    private let bytes: [UInt8]
    private var parser: JSONParser

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        parser = JSONParser(bytes, maxDepth: JSONValue.maxDepth)
    }

    /// The one event that the text holds.
    mutating func event() -> WatchdogEvent? {
        guard take(#"{"event_id":"#), let eventID = text(limit: WatchdogEvent.Limits.eventID),
            WatchdogEvent.isEventID(eventID),
            take(#","type":"#), let type: EventType = word(),
            take(#","severity":"#), let severity: Severity = word(),
            take(#","status":"#), let status: EventStatus = word(),
            take(#","fingerprint":"#), let fingerprint = text(limit: 16),
            Fingerprint.isFingerprint(fingerprint),
            take(#","watchdog":"#), let watchdog: WatchdogName = word(),
            take(#","asset":"#), let asset = orNull({ $0.asset() }),
            take(#","assets":"#), let assets = symbols(with: asset),
            take(#","description":"#), let description = text(limit: WatchdogEvent.Limits.description),
            take(#","data":"#), let data = object(),
            take(#","evidence":"#), let evidence = orNull({ $0.evidence() }),
            take(#","timestamp":"#), let timestamp = timestamp(),
            take(#","starts_at":"#), let startsAt = self.timestamp(),
            take(#","ends_at":"#), let endsAt = orNull({ $0.timestamp() }),
            endsAt.map({ $0 >= startsAt }) ?? (status != .resolved),
            take(#","metadata":"#), let metadata = object(),
            take("}"), parser.isAtEnd
        else { return nil }
        return WatchdogEvent(
            eventID: eventID, type: type, severity: severity, status: status, fingerprint: fingerprint,
            watchdog: watchdog, asset: asset, assets: assets, description: description, data: data,
            evidence: evidence, timestamp: timestamp, startsAt: startsAt, endsAt: endsAt, metadata: metadata)
    }

    private mutating func asset() -> Asset? {
        guard take(#"{"symbol":"#), let symbol = symbol(),
            let name = member(#","name":"#, { $0.text(limit: 128) }),
            take(#","asset_type":"#), let assetType: AssetType = word(),
            take(#","market":"#), let market: Market = word(),
            let exchange = member(#","exchange":"#, { $0.text(limit: 32) }),
            take(#","currency":"#), let currency = text(limit: 16),
            let pair = member(#","pair":"#, { $0.text(limit: 32) }),
            take("}")
        else { return nil }
        return Asset(
            symbol: symbol, name: name, assetType: assetType, market: market, exchange: exchange,
            currency: currency, pair: pair)
    }

    private mutating func evidence() -> Evidence? {
        guard take(#"{"rule":"#), let rule = text(limit: 64),
            take(#","operator":"#), let comparison = text(limit: 64), Evidence.operators.contains(comparison),
            take(#","threshold":"#), let threshold = number()?.double,
            take(#","observed":"#), let observed = number()?.double,
            let windowSeconds = member(#","window_seconds":"#, { $0.number()?.int64 }),
            windowSeconds.map({ (0...Int64(Int32.max)).contains($0) }) ?? true,
            take("}")
        else { return nil }
        return Evidence(
            rule: rule, operator: comparison, threshold: threshold, observed: observed,
            windowSeconds: windowSeconds)
    }

    /// A list in which each symbol stands once, and that of `asset` is among them.
    private mutating func symbols(with asset: Asset?) -> [String]? {
        guard take("[") else { return nil }
        var symbols: [String] = []
        if !take("]") {
            repeat {
                guard symbols.count < WatchdogEvent.Limits.assets, let symbol = symbol(),
                    !symbols.contains(symbol)
                else { return nil }
                symbols.append(symbol)
            } while take(",")
            guard take("]") else { return nil }
        }
        guard let asset else { return symbols }
        return symbols.contains(asset.symbol) ? symbols : nil
    }

    private mutating func symbol() -> String? {
        guard let text = text(limit: 32), Asset.isSymbol(text),
            !text.utf8.contains(where: { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) })
        else { return nil }
        return text
    }

    private mutating func object() -> [String: JSONValue]? {
        let limit = WatchdogEvent.Limits.objectBytes
        let start = parser.offset
        guard let value = try? parser.value(depth: 1), let members = value.members else { return nil }
        // The limit is on the text that we write. Of three bytes (1e5) that makes 24 at most, the longest
        // number: a short text need not be written to know.
        guard (parser.offset - start) * 8 <= limit || value.json.count <= limit else { return nil }
        return members
    }

    // MARK: - Single values

    /// A string of 1 to `limit` bytes, so of no more characters.
    private mutating func text(limit: Int) -> String? {
        guard parser.peek() == UInt8(ascii: "\""), let text = try? parser.string(),
            (1...limit).contains(text.utf8.count)
        else { return nil }
        return text
    }

    private mutating func word<Word: RawRepresentable<String>>() -> Word? {
        text(limit: 64).flatMap(Word.init)
    }

    private mutating func number() -> JSONValue? {
        try? parser.number()
    }

    private mutating func timestamp() -> Timestamp? {
        // Without a copy: between the quotes of what has no escapes stands the text itself.
        guard take("\""), let end = bytes[parser.offset...].firstIndex(of: UInt8(ascii: "\"")),
            let timestamp = Timestamp(rfc3339: bytes[parser.offset..<end])
        else { return nil }
        parser.offset = end + 1
        return timestamp
    }

    // MARK: - What may be absent

    /// A value, or within the result nil for `null`.
    private mutating func orNull<Value>(_ read: (inout Self) -> Value?) -> Value?? {
        if take("null") { return .some(nil) }
        return read(&self).map { $0 }
    }

    /// A member that is left out where there is no value: then within the result nil.
    private mutating func member<Value>(_ name: StaticString, _ read: (inout Self) -> Value?) -> Value?? {
        guard take(name) else { return .some(nil) }
        return read(&self).map { $0 }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        parser.take(text)
    }
}
