import Foundation

/// A directory of a test's own, gone with its owner; a small file system of its own where a size is given.
final class TemporaryDirectory: Sendable {
    let path: String
    private let isMounted: Bool

    init() throws {
        path = try Self.make()
        isMounted = false
    }

    /// Whether this user may mount, for tests that need to.
    static let mayMount = ((try? TemporaryDirectory(mountedWithKilobytes: 64)) ?? nil) != nil

    /// nil where this user may not mount.
    init?(mountedWithKilobytes size: Int) throws {
        path = try Self.make()
        isMounted = Self.run("mount", "-t", "tmpfs", "-o", "size=\(size)k", "tmpfs", path)
        if !isMounted { return nil }
    }

    deinit {
        if isMounted { _ = Self.run("umount", "-l", path) }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Mounts it anew, for reading only or for writing too.
    func remount(isReadOnly: Bool) -> Bool {
        Self.run("mount", "-o", isReadOnly ? "remount,ro" : "remount,rw", path)
    }

    /// The names of what lies in it.
    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }

    func file(_ name: String) -> URL {
        URL(filePath: path).appending(path: name)
    }

    private static func make() throws -> String {
        let url = FileManager.default.temporaryDirectory.appending(path: "sqlite-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url.path
    }

    private static func run(_ arguments: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
