import Glibc
import LinuxSystem

/// A small file with one line, which is made ahead of need and overwritten in place: a full disk does not
/// keep a note from being taken. It serves as a lock as well.
struct NoteFile: ~Copyable, Sendable {
    /// Its size, always. Less than a sector, so that a crash leaves the old note or the new one.
    private static let size = 64

    private let descriptor: FileDescriptor

    /// Opens the file, or makes it.
    init(path: String) throws(SystemCallError) {
        let raw = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard raw >= 0 else { throw SystemCallError("open") }
        let descriptor = FileDescriptor(owning: raw)
        if lseek(raw, 0, SEEK_END) != Self.size { try Self.write("", to: raw) }
        self.descriptor = descriptor
    }

    /// Takes the lock, which is held until this is gone; false where another process has it.
    func lock() throws(SystemCallError) -> Bool {
        while flock(descriptor.raw, LOCK_EX | LOCK_NB) != 0 {
            guard errno != EWOULDBLOCK else { return false }
            guard errno == EINTR else { throw SystemCallError("flock") }
        }
        return true
    }

    /// The note; empty where there is none.
    func read() throws(SystemCallError) -> String {
        var bytes: [UInt8] = Array(repeating: 0, count: Self.size)
        let count = pread(descriptor.raw, &bytes, bytes.count, 0)
        guard count >= 0 else { throw SystemCallError("read") }
        let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
        // What a power loss may leave of a file that was just made is zeros.
        let text = line.filter { $0 != UInt8(ascii: " ") && $0 != 0 }
        return String(decoding: text, as: UTF8.self)
    }

    /// Replaces the note: a few dozen bytes of ASCII without space, or nothing. On disk once it returns.
    func write(_ note: String) throws(SystemCallError) {
        try Self.write(note, to: descriptor.raw)
    }

    private static func write(_ note: String, to descriptor: Int32) throws(SystemCallError) {
        precondition(note.utf8.count < size)
        var bytes = Array(note.utf8)
        bytes += repeatElement(UInt8(ascii: " "), count: size - 1 - bytes.count)
        bytes.append(UInt8(ascii: "\n"))
        let written = pwrite(descriptor, bytes, bytes.count, 0)
        guard written == bytes.count else {
            throw SystemCallError("write", code: written < 0 ? errno : ENOSPC)
        }
        guard fdatasync(descriptor) == 0 else { throw SystemCallError("flush") }
    }
}
