/// Why a store could not do what it was asked to.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It cannot be used now and may be later: the disk is full, a lock is held, the server is away. One
    /// sentence that names the cause.
    case unavailable(String)
    /// What is stored cannot be read or is of another version: trying again does not help. One sentence that
    /// says what to do.
    case unusable(String)

    /// The sentence.
    public var description: String {
        switch self {
        case .unavailable(let sentence), .unusable(let sentence): sentence
        }
    }
}
