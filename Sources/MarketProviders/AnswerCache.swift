import WebClient

/// The last answers that providers gave with a validator (RFC 9110 section 8.8), so that they can be asked
/// whether there is anything new.
struct AnswerCache {
    /// Whose answer it is.
    struct Key: Hashable {
        var provider: ProviderName
        var request: ProviderRequest
    }

    /// An answer that can be asked about.
    struct Entry {
        var body: [UInt8]
        var etag: String?
        var lastModified: String?
        fileprivate var lastUse = 0

        /// What makes a request conditional (RFC 9110 section 13.1).
        var conditions: [(name: String, value: String)] {
            if let etag { return [("If-None-Match", etag)] }
            if let lastModified { return [("If-Modified-Since", lastModified)] }
            return []
        }
    }

    private let maxEntries: Int
    private let maxBytes: Int
    private var entries: [Key: Entry] = [:]
    private var byteCount = 0
    private var uses = 0

    /// An empty one. What was used least lately goes first where there is no room.
    init(maxEntries: Int = 64, maxBytes: Int = 8 << 20) {
        self.maxEntries = maxEntries
        self.maxBytes = maxBytes
    }

    /// The answer to the same request, if it is kept.
    mutating func entry(_ key: Key) -> Entry? {
        uses += 1
        entries[key]?.lastUse = uses
        return entries[key]
    }

    /// Keeps an answer, in place of the last to the same request, if it has a validator and is not too large.
    mutating func keep(_ response: WebResponse, for key: Key) {
        remove(key)
        uses += 1
        let entry = Entry(
            body: response.body, etag: Self.validator(response.field("ETag")),
            lastModified: Self.validator(response.field("Last-Modified")), lastUse: uses)
        guard !entry.conditions.isEmpty, response.body.count <= maxBytes else { return }
        entries[key] = entry
        byteCount += entry.body.count
        while entries.count > maxEntries || byteCount > maxBytes,
            let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            remove(oldest.key)
        }
    }

    private mutating func remove(_ key: Key) {
        byteCount -= entries.removeValue(forKey: key)?.body.count ?? 0
    }

    /// What can be sent back as it came: short, and of visible characters.
    private static func validator(_ field: String?) -> String? {
        guard let field, (1...256).contains(field.utf8.count),
            field.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else { return nil }
        return field
    }
}
