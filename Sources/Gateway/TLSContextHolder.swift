import Configuration
import Locking
import TLS

/// The certificate in use, and how it is read anew.
final class TLSContextHolder: Sendable {
    private let context: Locked<TLSContext?>

    /// Reads certificate and key, where TLS is on.
    init(_ settings: Settings) throws(TLSConfigurationError) {
        context = Locked(try Self.read(settings, replacing: nil))
    }

    /// For new connections; nil where TLS is off.
    var current: TLSContext? { context.withLock { $0 } }

    /// Reads both files anew. Where that fails, what was in use stays.
    func reload(_ settings: Settings) throws(TLSConfigurationError) -> TLSContext? {
        let fresh = try Self.read(settings, replacing: current)
        context.withLock { $0 = fresh }
        return fresh
    }

    private static func read(
        _ settings: Settings, replacing: TLSContext?
    ) throws(TLSConfigurationError) -> TLSContext? {
        guard settings.tls.isOn, let certificate = settings.tls.certificateFile,
            let key = settings.tls.keyFile
        else {
            return nil
        }
        return try TLSContext(certificateFile: certificate, keyFile: key, replacing: replacing)
    }
}
