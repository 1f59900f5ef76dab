import FIMLCore
import Glibc
import MarketData

/// The file in which a live market keeps what providers cannot give again.
struct HistoryFile: Sendable {
    /// Its name in the directory.
    static let name = "market-history.json"
    /// A larger file is not ours: the bounds of `MarketHistory` make at most about 50 MB.
    static let sizeLimit = 64 << 20

    private let path: String

    /// The file in a directory that is there.
    init(in directory: String) {
        path = "\(directory)/\(Self.name)"
    }

    /// What the file holds; nothing where there is none. What could not be used is said in one line. A file
    /// that cannot be read as a whole is set aside under the name `market-history.json.unusable`.
    func load(now: Timestamp, log: (String) -> Void) -> MarketHistory {
        guard access(path, F_OK) == 0 else { return MarketHistory() }
        do throws(MarketDataError) {
            let decoded = try MarketHistory.parse(try read(), now: now)
            let refused = decoded.refused
            if refused.count > 0 {
                log(
                    "\(Self.name): \(refused.count) figures cannot be used: "
                        + refused.reasons.map(Fallback.line).joined(separator: "; "))
            }
            return decoded.figures
        } catch {
            let aside = "\(path).unusable"
            let isAside = rename(path, aside) == 0
            log(
                "\(Self.name) cannot be used: \(Fallback.line(error.description)); "
                    + (isAside ? "it is set aside as \(Self.name).unusable" : "it could not be set aside")
                    + ", and the history begins anew")
            return MarketHistory()
        }
    }

    /// Replaces the file, so that a crash at any moment leaves the old one or the new one, whole.
    func save(_ history: MarketHistory) throws(MarketDataError) {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open") }
        do throws(MarketDataError) {
            defer { close(descriptor) }
            try Self.write(history.json, to: descriptor)
            guard fsync(descriptor) == 0 else { throw Self.failure("flush") }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else { throw Self.failure("rename") }
    }

    private func read() throws(MarketDataError) -> [UInt8] {
        guard let file = fopen(path, "re") else { throw Self.failure("open") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            bytes += chunk[..<count]
            guard bytes.count <= Self.sizeLimit else {
                throw MarketDataError("it has more than \(Self.sizeLimit) bytes")
            }
            if count < chunk.count { break }
        }
        guard ferror(file) == 0 else { throw Self.failure("read") }
        return bytes
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) throws(MarketDataError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                throw failure("write")
            }
        }
    }

    private static func failure(_ operation: String) -> MarketDataError {
        let reason = strerror(errno).map { String(cString: $0) } ?? "unknown error"
        return MarketDataError("cannot \(operation) \(name): \(reason)")
    }
}
