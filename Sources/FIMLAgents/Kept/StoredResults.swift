/// Where results outlive the process that made them, and where other gateways on the same store find them.
///
/// Nobody is kept waiting for long: what cannot be read in a moment counts as not there.
public protocol StoredResults: Sendable {
    /// What is kept under a key and still good; nil also where the store is away or slow.
    func value(_ key: String) async -> StoredResult?

    /// Keeps a result soon, in the place of what has its key.
    func keep(_ result: StoredResult, as key: String)

    /// Returns once what is to be kept under a key is kept; after a moment also where it is not.
    func settled(_ key: String) async
}

/// A result as it is stored.
public struct StoredResult: Hashable, Sendable {
    /// JSON.
    public var value: [UInt8]
    /// Milliseconds since 1970; from then on it is as if it were not there.
    public var expiresAt: Int64

    /// A result that is good until a moment.
    public init(_ value: [UInt8], expiresAt: Int64) {
        self.value = value
        self.expiresAt = expiresAt
    }
}
