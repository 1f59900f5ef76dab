/// Why a request had no answer. Nothing in it is from the URL, which may hold a key.
public enum WebError: Error, Hashable, CustomStringConvertible {
    /// The answer was not complete within the time limit, or no connection came about.
    case timedOut
    /// The answer is larger than was allowed.
    case tooLarge
    /// The server cannot be reached, or what it sent is not an answer; in the words of libcurl.
    case unreachable(String)
    /// Not an absolute HTTP or HTTPS URL.
    case badURL
    /// A field that would not be one line.
    case badField
    /// The task that asked was cancelled.
    case cancelled
    /// Too many requests wait already.
    case busy

    /// One line.
    public var description: String {
        switch self {
        case .timedOut: "no answer within the time limit"
        case .tooLarge: "the answer is too large"
        case .unreachable(let reason): reason
        case .badURL: "the URL is not an absolute one of http or https"
        case .badField: "a field of the request is not one line of text"
        case .cancelled: "the request was cancelled"
        case .busy: "too many requests wait already"
        }
    }
}
