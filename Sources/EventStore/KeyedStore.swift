/// Values by key, each until its time: sessions of clients, results of analyses.
///
/// All calls block and may be made from several threads. Keys are ASCII, at most 512 bytes, and begin with
/// what they are of: `session:…`, `task:…`, `finding:…`.
public protocol KeyedStore: Sendable {
    /// What health calls it: `memory`, `sqlite`, `redis` or `postgresql`.
    var kind: String { get }

    /// Makes it ready; again after an error. Throws where it cannot be used.
    func open() throws(StoreError)

    /// Keeps all of the entries, each in the place of what has its key, or none.
    func put(_ entries: [KeptEntry]) throws(StoreError)

    /// The value of a key that is still good at `now`, milliseconds since 1970.
    func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry?

    /// Forgets a key; nothing where it is not there.
    func remove(_ key: String) throws(StoreError)

    /// Forgets what is over at `now`, and, beyond `limit` entries whose keys begin with `prefix`, those that
    /// are over first. A store that does so by itself does nothing.
    func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError)

    /// How many entries there are whose keys begin with `prefix`.
    func count(prefix: String) throws(StoreError) -> Int

    /// Whether it answers: what it says of itself (its version), for health.
    func ping() throws(StoreError) -> String

    /// Ends it in order.
    func close()
}

/// A value and until when it is good.
public struct KeptEntry: Hashable, Sendable {
    /// See `KeyedStore`.
    public var key: String
    /// Bytes that mean something to whoever keeps them; JSON, so that people can look.
    public var value: [UInt8]
    /// Milliseconds since 1970.
    public var expiresAt: Int64

    /// An entry.
    public init(key: String, value: [UInt8], expiresAt: Int64) {
        self.key = key
        self.value = value
        self.expiresAt = expiresAt
    }
}
