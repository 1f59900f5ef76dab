import Glibc
import LinuxSystem
import Testing

@Suite("A child process is limited from outside, and its end is noticed whoever takes note of it")
struct ChildProcessTests {
    private static func waitsForInput(_ connection: Int32) throws -> ChildProcess {
        try ChildProcess(
            executable: "/bin/cat", name: "cat", arguments: [], environment: [], connection: connection)
    }

    @Test("An end that the kernel or somebody else has taken note of is an end, of unknown status")
    func takenByOthers() throws {
        let pair = try SocketPair()
        let child = try Self.waitsForInput(pair.second.raw)
        #expect(child.reap() == nil)
        child.kill()
        // As it is where SIGCHLD is ignored (wait(2)): afterwards there is no such child.
        #expect(waitpid(child.id, nil, 0) == child.id)
        let end = child.reap()
        #expect(end?.description == "ended")
        #expect(end?.cpuSeconds == 0)
    }

    @Test("A limit that is stricter already stays; a wider one is narrowed")
    func stricterLimit() throws {
        let pair = try SocketPair()
        let child = try Self.waitsForInput(pair.second.raw)
        func limit() -> String? {
            ProcessFiles.text(child.id, "limits").split(separator: "\n")
                .first { $0.hasPrefix("Max data size") }
                .map { $0.split(separator: " ").dropFirst(3).prefix(2).joined(separator: " ") }
        }
        try ProcessLimits.limitData(of: child.id, bytes: 64 << 20)
        #expect(limit() == "67108864 67108864")
        try ProcessLimits.limitData(of: child.id, bytes: 128 << 20)
        #expect(limit() == "67108864 67108864")
        try ProcessLimits.limitData(of: child.id, bytes: 32 << 20)
        #expect(limit() == "33554432 33554432")
        child.kill()
        #expect(child.waitForEnd()?.description == "killed by signal 9 (Killed)")
    }
}
