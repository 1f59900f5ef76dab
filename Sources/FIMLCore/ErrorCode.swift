/// The error codes of the public protocol. The name is the contract; the status is its HTTP analogue.
public enum ErrorCode: String, CaseIterable, JSONWritable, Sendable {
    case invalidJSON = "INVALID_JSON"
    case invalidMessageType = "INVALID_MESSAGE_TYPE"
    case invalidMessage = "INVALID_MESSAGE"
    case invalidFilter = "INVALID_FILTER"
    case subscriptionError = "SUBSCRIPTION_ERROR"
    case notAuthenticated = "NOT_AUTHENTICATED"
    case authFailed = "AUTH_FAILED"
    case tokenExpired = "TOKEN_EXPIRED"
    case permissionDenied = "PERMISSION_DENIED"
    case subscriptionLimitExceeded = "SUBSCRIPTION_LIMIT_EXCEEDED"
    case unsubscribeError = "UNSUBSCRIBE_ERROR"
    case notFound = "NOT_FOUND"
    case authTimeout = "AUTH_TIMEOUT"
    case alreadySubscribed = "ALREADY_SUBSCRIBED"
    case sessionTaken = "SESSION_TAKEN"
    case messageTooLarge = "MESSAGE_TOO_LARGE"
    case rateLimited = "RATE_LIMITED"
    case processingError = "PROCESSING_ERROR"
    case unavailable = "UNAVAILABLE"

    /// The HTTP status that says the same.
    public var status: Int {
        switch self {
        case .invalidJSON, .invalidMessageType, .invalidMessage, .invalidFilter, .subscriptionError: 400
        case .notAuthenticated, .authFailed, .tokenExpired: 401
        case .permissionDenied, .subscriptionLimitExceeded: 403
        case .unsubscribeError, .notFound: 404
        case .authTimeout: 408
        case .alreadySubscribed, .sessionTaken: 409
        case .messageTooLarge: 413
        case .rateLimited: 429
        case .processingError: 500
        case .unavailable: 503
        }
    }

    /// Whether the same request may succeed later without being changed.
    public var isRetryable: Bool {
        switch self {
        case .rateLimited, .processingError, .unavailable: true
        case .invalidJSON, .invalidMessageType, .invalidMessage, .invalidFilter, .subscriptionError,
            .notAuthenticated, .authFailed, .tokenExpired, .permissionDenied, .subscriptionLimitExceeded,
            .unsubscribeError, .notFound, .authTimeout, .alreadySubscribed, .sessionTaken,
            .messageTooLarge:
            false
        }
    }
}
