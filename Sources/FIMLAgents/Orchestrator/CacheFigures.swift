/// How full a cache is, and how often it was of use.
public struct CacheFigures: Hashable, Sendable {
    /// Findings, and answers that are made of them; those that are over go when room is needed.
    public var entries: Int
    /// As many as there may be.
    public var entryLimit: Int
    /// What they take up, roughly.
    public var bytes: Int
    /// As much as they may take up.
    public var byteLimit: Int
    /// Findings that were asked for and there.
    public var hits: Int
    /// Findings that were asked for and not there.
    public var misses: Int
}
