import EventStore
import FIMLCore

/// An entry of the stream in Redis, ours or another program's.
struct StreamEntry: Sendable {
    /// Its id.
    let position: StreamPosition
    private let fields: [String: [UInt8]]

    /// An entry as XRANGE gives it; nil where it was deleted in between.
    init?(_ reply: RedisReply) {
        guard let entry = StreamFields(reply) else { return nil }
        position = entry.position
        fields = entry.fields
    }

    /// The members that an event is read from; others are left aside, so that other programs may have more.
    private static let names = [
        "event_id", "type", "severity", "status", "fingerprint", "watchdog", "asset", "assets", "description",
        "data", "evidence", "timestamp", "starts_at", "ends_at", "metadata",
    ]

    private static let assetNames = [
        "symbol", "name", "asset_type", "market", "exchange", "currency", "pair",
    ]

    /// The event, in the form of the public protocol.
    ///
    /// It is the JSON in the field `event`; or that in `data` where there is no field `type`; or, as FIML's
    /// Python processes write it, made of one field for each member, objects as JSON. What is missing becomes
    /// the same on each reading and on each node: the id is made of the position, the timestamp is the
    /// position's. Throws what is wrong.
    func event() throws(InvalidMember) -> StoredEvent {
        var members = try object("event")
        if members == nil, fields["type"] == nil { members = try object("data") }
        var known = (members ?? flat()).filter { Self.names.contains($0.key) }
        known["asset"] = known["asset"].flatMap { asset in
            guard let members = asset.members else { return asset == "" ? nil : asset }
            return .object(members.filter { Self.assetNames.contains($0.key) })
        }
        // A symbol alone.
        if case .string(let symbol)? = known["asset"] {
            known["asset"] = nil
            known["assets"] = known["assets"] ?? .array([.string(symbol)])
        }
        let event = try WatchdogEvent.parse(
            .object(known), receivedAt: Timestamp(milliseconds: Int64(clamping: position.milliseconds)),
            newEventID: { "evt_\(position)" })
        return StoredEvent(position: position, json: event.json)
    }

    private func object(_ name: String) throws(InvalidMember) -> [String: JSONValue]? {
        guard let bytes = fields[name] else { return nil }
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw InvalidMember(path: name, problem: "is not valid JSON: \(error)")
        }
        guard let members = value.members else {
            throw InvalidMember(path: name, problem: "must be an object")
        }
        return members
    }

    private func flat() -> [String: JSONValue] {
        let null = Array("null".utf8)
        return fields.compactMapValues { bytes in
            // Python writes what is not there as nothing, or as None.
            guard let first = bytes.first, bytes != Array("None".utf8), bytes != null else { return nil }
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
                let value = try? JSONValue.parse(bytes)
            {
                return value
            }
            return String(validating: bytes, as: UTF8.self).map(JSONValue.string)
        }
    }
}
