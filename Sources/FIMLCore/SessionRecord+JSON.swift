extension SessionRecord: JSONWritable {
    /// The form that this version writes, and the only one that it reads.
    public static let version: Int64 = 1

    /// Writes all of it, with the version of the form.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("version", Self.version)
        writer.member("generation", generation)
        writer.member("ttl_seconds", ttlSeconds)
        writer.member("used_at", Timestamp(milliseconds: usedAt))
        writer.name("subscriptions")
        writer.beginArray()
        for subscription in subscriptions {
            writer.beginObject()
            writer.member("subscription_id", subscription.subscriptionID)
            writer.member("filter", subscription.filter)
            writer.member("position", subscription.position)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }

    /// A subscription that could not be read back, as when its filter names what this version does not know.
    public struct Dropped: Hashable, Sendable, JSONWritable {
        /// What the client calls it.
        public var subscriptionID: String
        /// What is wrong with it, a sentence.
        public var message: String

        /// With every part given.
        public init(subscriptionID: String, message: String) {
            (self.subscriptionID, self.message) = (subscriptionID, message)
        }

        /// Writes both.
        public func write(to writer: inout JSONWriter) {
            writer.beginObject()
            writer.member("subscription_id", subscriptionID)
            writer.member("message", message)
            writer.endObject()
        }
    }

    /// Why a text is no session.
    public enum ReadingError: Error, Hashable, Sendable {
        /// It is of another version, by its number: another node may still read it.
        case otherVersion(Int64)
        /// It is nothing that was ever written. What is wrong, a sentence.
        case invalid(String)
    }

    /// Reads what `write` wrote. A store is trusted no more than a client: everything is checked as if it had
    /// come over the socket. What cannot be read of the subscriptions is left out and named.
    public static func read(
        _ bytes: [UInt8]
    ) throws(ReadingError) -> (record: SessionRecord, dropped: [Dropped]) {
        guard bytes.count <= Limits.bytes else {
            throw .invalid("a session must not be longer than \(Limits.bytes) bytes")
        }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(bytes)
        } catch {
            throw .invalid("a session is not valid JSON: \(error)")
        }
        if let version = value["version"]?.int64, version != Self.version { throw .otherVersion(version) }
        do throws(InvalidMember) {
            return try read(value)
        } catch {
            throw .invalid(error.message)
        }
    }

    private static func read(
        _ value: JSONValue
    ) throws(InvalidMember) -> (record: SessionRecord, dropped: [Dropped]) {
        let reader = try MemberReader(
            value, at: "", allowed: ["version", "generation", "ttl_seconds", "used_at", "subscriptions"])
        _ = try reader.require("version") { name throws(InvalidMember) in
            try reader.integer(name, in: Self.version...Self.version)
        }
        let seconds = Int64(Limits.hours.upperBound) * 3600
        var record = SessionRecord(
            generation: try reader.require("generation") { name throws(InvalidMember) in
                try reader.integer(name, in: 1...(.max - 1))
            },
            ttlSeconds: try reader.require("ttl_seconds") { name throws(InvalidMember) in
                try reader.integer(name, in: 1...seconds)
            },
            usedAt: try reader.require("used_at", reader.timestamp).milliseconds)
        guard let entries = reader.value("subscriptions")?.elements,
            entries.count <= Limits.subscriptions
        else {
            throw InvalidMember(
                path: "subscriptions", problem: "must be a list of at most \(Limits.subscriptions)")
        }
        var dropped: [Dropped] = []
        for (index, entry) in entries.enumerated() {
            let path = "subscriptions[\(index)]"
            let reader = try MemberReader(
                entry, at: path, allowed: ["subscription_id", "filter", "position"])
            let id = try ClientMessage.subscriptionID(reader)
            guard let position = reader.value("position")?.text.flatMap(StreamPosition.init) else {
                throw InvalidMember(path: "\(path).position", problem: "must be a position")
            }
            guard record[id] == nil else {
                throw InvalidMember(path: "\(path).subscription_id", problem: "is there twice")
            }
            do throws(InvalidMember) {
                let filter = try EventFilter.parse(reader.value("filter") ?? .null)
                // The text was short enough, so this one is too but where its filter grew in normal form.
                if !record.put(.init(subscriptionID: id, filter: filter, position: position)) {
                    dropped.append(Dropped(subscriptionID: id, message: "the session has no room for it"))
                }
            } catch {
                dropped.append(Dropped(subscriptionID: id, message: error.message))
            }
        }
        return (record, dropped)
    }
}
