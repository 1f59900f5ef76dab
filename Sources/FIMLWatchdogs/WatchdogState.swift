import FIMLCore

/// What a watchdog must know to go on: the conditions that fire and have been told, its own alarm included.
struct WatchdogState: Sendable {
    /// A larger one is not read. 2,000 conditions are about 2 MB, at the bounds of an event 42 MB.
    static let maxBytes = 64 << 20

    /// What fires.
    var conditions: [Condition]
    /// Why it could not be read, or not all of it; one sentence.
    var problem: String?

    /// A state of conditions.
    init(_ conditions: [Condition]) {
        self.conditions = conditions
    }

    /// What `bytes` wrote of the watchdog `name`; nothing fires where there is none. What cannot be read is
    /// left out and said.
    init(_ bytes: [UInt8]?, of name: WatchdogName) {
        self.init([])
        guard let bytes else { return }
        guard bytes.count <= Self.maxBytes else {
            problem =
                "the state of \(name.rawValue) has \(bytes.count) bytes; at most \(Self.maxBytes) are read"
            return
        }
        do throws(JSONError) {
            guard let entries = try JSONValue.parse(bytes)["conditions"]?.elements else {
                problem = "the state of \(name.rawValue) has no list of conditions"
                return
            }
            conditions = entries.compactMap { Condition($0) }.filter { $0.event.watchdog == name }
            let refused = entries.count - conditions.count
            if refused > 0 { problem = "\(refused) conditions of \(name.rawValue) could not be read" }
        } catch {
            problem = "the state of \(name.rawValue) cannot be read: \(error)"
        }
    }

    /// The state as it is kept.
    var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("conditions", conditions)
        writer.endObject()
        return writer.bytes
    }
}
