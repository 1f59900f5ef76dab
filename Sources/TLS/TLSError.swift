import COpenSSL

/// TLS that cannot be set up: names the file and what is wrong with it.
public struct TLSConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// A connection whose TLS failed; it is over.
public struct TLSFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// One sentence for the log. The peer was told by an alert, if by anything.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The text of OpenSSL's oldest error that nobody took yet, and an empty queue after it.
func takeOpenSSLError() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0 else { return "no reason given" }
    guard let reason = ERR_reason_error_string(code) else { return "error \(code)" }
    return String(cString: reason)
}
