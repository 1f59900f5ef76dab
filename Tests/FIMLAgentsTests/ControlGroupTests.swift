import Analysis
import CLinux
import FIMLAgents
import FIMLCore
import Foundation
import Testing

@testable import LinuxSystem

/// A directory tree that looks like the kernel's, for a machine that has none that may be written.
private struct FakeTree: ~Copyable {
    let root = NSTemporaryDirectory() + "fiml-cgroup-\(UUID().uuidString)"

    func write(_ text: String, to path: String) throws {
        let file = URL(filePath: root + path)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    func text(_ path: String) -> String? {
        readSmallFile(root + path)
    }

    /// The files of a group, empty.
    func makeGroup(_ path: String) throws {
        for file in ["memory.max", "memory.swap.max", "cpu.max", "cgroup.procs"] {
            try write("", to: "\(path)/\(file)")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: root)
    }
}

@Suite("Where cgroup v2 may be written it limits worker hosts")
struct ControlGroupTests {
    /// As a container with cgroup v2 alone has it.
    private static let unified =
        "29 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
    /// As a machine has it that still has the controllers in cgroup v1.
    private static let hybrid = """
        40 25 0:33 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        41 25 0:34 / /sys/fs/cgroup/unified rw,relatime shared:7 - cgroup2 cgroup2 rw

        """

    /// `/proc/self/cgroup`, `/proc/self/mountinfo`, and the directory.
    private static let places: [(String, String, String?)] = [
        ("0::/\n", unified, "/sys/fs/cgroup"),
        ("0::/system.slice/fiml.service\n", unified, "/sys/fs/cgroup/system.slice/fiml.service"),
        ("12:memory:/a\n0::/b\n", hybrid, "/sys/fs/cgroup/unified/b"),
        ("12:memory:/a\n", hybrid, nil),
        ("0::/b\n", "40 25 0:33 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", nil),
        ("0::/b\n", "", nil),
        // A container that sees a part of the host's tree.
        (
            "0::/docker/7/x\n", "29 23 0:26 /docker/7 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "/sys/fs/cgroup/x"
        ),
        // A group outside what is mounted.
        ("0::/../other\n", unified, nil),
        ("0::/b\n", "- cgroup2\n29 23 - cgroup2\n29 23 0:26 / /x rw -\n", nil),
    ]

    @Test("Our own group is found by what the kernel says", arguments: places)
    func finds(groups: String, mounts: String, expected: String?) {
        let found = ControlGroup.directory(groups: groups, mounts: mounts)
        #expect(found.map { $0.mount + $0.path } == expected)
    }

    @Test("A group counts where groups below it can have limits: our own, or the one above where it is given")
    func delegated() throws {
        let tree = FakeTree()
        try tree.write("0::/fiml/gateway\n", to: "/proc/self/cgroup")
        try tree.write(Self.unified, to: "/proc/self/mountinfo")
        func found() -> String? {
            ControlGroup.delegated(root: tree.root)?.directory.replacing(tree.root, with: "")
        }
        #expect(found() == nil)
        // The fake takes what is written as it is, so whoever may write to it has what was asked for.
        try tree.write("cpu io memory pids\n", to: "/sys/fs/cgroup/fiml/cgroup.subtree_control")
        try tree.write("", to: "/sys/fs/cgroup/fiml/cgroup.procs")
        #expect(found() == nil, "what is above is the service manager's")
        // Where temporary files can have no attribute (tmpfs before Linux 6.6) there is no more to see.
        let above = tree.root + "/sys/fs/cgroup/fiml"
        if setxattr(above, "user.delegate", "1", 1, 0) == 0 {
            #expect(found() == "/sys/fs/cgroup/fiml")
            try FileManager.default.removeItem(atPath: above + "/cgroup.procs")
            #expect(found() == nil, "processes cannot be moved there")
            try tree.write("", to: "/sys/fs/cgroup/fiml/cgroup.procs")
            #expect(setxattr(above, "user.delegate", "0", 1, 0) == 0)
            #expect(found() == nil, "taken back")
        }
        try tree.write("cpu memory\n", to: "/sys/fs/cgroup/fiml/gateway/cgroup.subtree_control")
        try tree.write("", to: "/sys/fs/cgroup/fiml/gateway/cgroup.procs")
        #expect(found() == "/sys/fs/cgroup/fiml/gateway")
    }

    @Test("A machine with cgroup v1 alone has no such group")
    func versionOne() throws {
        let tree = FakeTree()
        try tree.write("12:memory:/a\n0::/\n", to: "/proc/self/cgroup")
        try tree.write(Self.hybrid, to: "/proc/self/mountinfo")
        try tree.write("\n", to: "/sys/fs/cgroup/unified/cgroup.controllers")
        #expect(ControlGroup.delegated(root: tree.root) == nil)
    }

    @Test("Limits are written as the kernel takes them")
    func limits() throws {
        let tree = FakeTree()
        try tree.makeGroup("/parent/risk")
        let parent = ControlGroup(directory: tree.root + "/parent")
        let group = try parent.makeGroup(named: "risk", memoryBytes: 2_147_483_648, cores: 1.5)
        try group.add(4_711)
        #expect(tree.text("/parent/risk/memory.max") == "2147483648")
        #expect(tree.text("/parent/risk/memory.swap.max") == "0")
        #expect(tree.text("/parent/risk/cpu.max") == "150000 100000")
        #expect(tree.text("/parent/risk/cgroup.procs") == "4711")
        _ = try parent.makeGroup(named: "risk", memoryBytes: 1, cores: 0)
        #expect(tree.text("/parent/risk/cpu.max")?.hasPrefix("1000 100000") == true)
    }

    @Test("A group without its controllers is an error, not a host without limits")
    func noControllers() throws {
        let tree = FakeTree()
        try tree.write("", to: "/parent/cgroup.procs")
        let error = #expect(throws: SystemCallError.self) {
            try ControlGroup(directory: tree.root + "/parent").makeGroup(
                named: "risk", memoryBytes: 1, cores: 1)
        }
        #expect(error?.description == "open memory.max: No such file or directory")
        #expect(!FileManager.default.fileExists(atPath: tree.root + "/parent/risk"))
    }

    @Test("A host is put into its group, and its status says so")
    func host() async throws {
        let tree = FakeTree()
        // The first host of a supervisor has the number 1.
        let path = "/parent/technical-\(getpid())-1"
        try tree.makeGroup(path)
        let supervisor = try HostSupervisor(in: ControlGroup(directory: tree.root + "/parent"))
        let faulty = FaultyHost(limits: HostLimits(memoryMB: 64, cpu: 0.5), supervisor: supervisor)
        let process = try await faulty.process()
        #expect(faulty.host.status().memoryLimitedBy == "cgroup v2")
        #expect(faulty.host.status().cpuLimitedBy == "cgroup v2")
        #expect(tree.text(path + "/cgroup.procs") == "\(process)")
        #expect(tree.text(path + "/memory.max") == "67108864")
        #expect(tree.text(path + "/cpu.max") == "50000 100000")
        await faulty.host.shutDown()
    }

    @Test("Where a process cannot be put into its group the host is limited otherwise")
    func cannotBeAdded() async throws {
        let tree = FakeTree()
        let path = "/parent/technical-\(getpid())-1"
        try tree.makeGroup(path)
        try FileManager.default.removeItem(atPath: tree.root + path + "/cgroup.procs")
        let supervisor = try HostSupervisor(in: ControlGroup(directory: tree.root + "/parent"))
        let faulty = FaultyHost(supervisor: supervisor)
        _ = try await faulty.process()
        #expect(faulty.host.status().memoryLimitedBy == "RLIMIT_DATA")
        #expect(faulty.host.status().restarts == 0)
        await faulty.host.shutDown()
    }

    @Test("Where no group can be made the host is limited otherwise")
    func fallsBack() async throws {
        let supervisor = try HostSupervisor(in: ControlGroup(directory: "/nowhere"))
        let faulty = FaultyHost(supervisor: supervisor)
        _ = try await faulty.process()
        #expect(faulty.host.status().memoryLimitedBy == "RLIMIT_DATA")
        #expect(faulty.host.status().cpuLimitedBy == "affinity to 1 core")
        await faulty.host.shutDown()
    }
}

@Suite("Hosts that are bound to cores are spread over them")
struct CoreSetTests {
    @Test("A share begins at its place and goes round; a share of all is all")
    func choosing() throws {
        let all = try CoreSet.ofThisThread()
        let cores = all.cores
        #expect(cores.count == availableCores())
        #expect(all.choosing(cores.count, from: 1) == all)
        #expect(all.choosing(cores.count + 5, from: 0) == all)
        for first in 0..<cores.count * 2 {
            #expect(all.choosing(1, from: first).cores == [cores[first % cores.count]])
        }
        #expect(all.choosing(0, from: 0).cores == [cores[0]])
    }
}
