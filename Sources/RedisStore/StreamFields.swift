import FIMLCore

/// An entry of any stream.
struct StreamFields {
    let position: StreamPosition
    let fields: [String: [UInt8]]

    /// nil where it was deleted in between.
    init?(_ reply: RedisReply) {
        let parts = reply.elements
        guard parts.count == 2, let position = parts[0].position else { return nil }
        self.position = position
        let pairs = parts[1].pairs.compactMap { pair in
            pair.name.text.flatMap { name in pair.value.data.map { (name, $0) } }
        }
        fields = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
    }

    func text(_ name: String) -> String? {
        fields[name].map { String(decoding: $0, as: UTF8.self) }
    }
}

extension RedisClient {
    /// The entries of a stream after a position (XREAD).
    func entries(
        of stream: String, after position: StreamPosition, limit: Int, waitMilliseconds: Int
    ) throws(RedisFailure) -> [StreamFields] {
        var command = RedisCommand("XREAD", "COUNT", String(limit))
        // BLOCK 0 would wait for ever.
        if waitMilliseconds > 0 {
            command.append("BLOCK")
            command.append(String(waitMilliseconds))
        }
        for word in ["STREAMS", stream, position.description] { command.append(word) }
        let reply = try ask(command, waitMilliseconds: max(waitMilliseconds, 0))
        return (reply.elements.first?.elements.last?.elements ?? []).compactMap(StreamFields.init)
    }
}
