import Glibc

/// Where everything goes that is no result.
public enum StandardError {
    /// Writes one line; control characters are escaped.
    public static func write(_ text: String) {
        let line = Array("fiml-gateway: \(text.onOneLine)\n".utf8)
        // Where standard error is gone, there is nobody to tell.
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
