import Glibc

/// Reads whole files that are not larger than allowed.
enum BoundedFile {
    /// The bytes of a file, a pipe included. Throws when it cannot be read or has more than `limit` bytes.
    static func read(_ path: String, limit: Int) throws(CSVProblem) -> [UInt8] {
        guard let file = fopen(path, "re") else {
            throw unreadable(path)
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            bytes += chunk[..<count]
            if bytes.count > limit {
                throw CSVProblem(
                    file: path, value: "more than \(limit) bytes", allowed: "at most \(limit) bytes")
            }
            if count < chunk.count { break }
        }
        // Reading a directory opens, then fails here.
        guard ferror(file) == 0 else {
            throw unreadable(path)
        }
        return bytes
    }

    private static func unreadable(_ path: String) -> CSVProblem {
        let reason = strerror(errno).map { String(cString: $0) } ?? "unknown error"
        return CSVProblem(file: path, value: reason, allowed: "a file that can be read")
    }
}
