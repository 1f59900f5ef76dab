import CLinux
import Glibc

/// A group of processes whose memory and share of the processor the kernel bounds (cgroup v2; Linux, "Control
/// Group v2").
public struct ControlGroup: Equatable, Sendable {
    /// Its directory.
    public let directory: String

    /// A group at that directory.
    public init(directory: String) {
        self.directory = directory
    }

    /// A group that this process may make groups with limits in: its own, or, since a group that holds
    /// processes cannot have such groups, the one above where its manager has marked that as given to us
    /// (`Delegate=` and `DelegateSubgroup=` of systemd). That it may be written says nothing: root may write
    /// everywhere, and a user to what the user's own service manager looks after. Nil where there is none,
    /// say because only cgroup v1 is there.
    ///
    /// `root` is put before all paths.
    public static func delegated(root: String = "") -> ControlGroup? {
        guard let groups = readSmallFile("\(root)/proc/self/cgroup"),
            let mounts = readSmallFile("\(root)/proc/self/mountinfo"),
            let directory = directory(groups: groups, mounts: mounts)
        else { return nil }
        let own = ControlGroup(directory: root + directory.mount + directory.path)
        if own.offersLimits() { return own }
        // Above the mount there is nothing of ours.
        guard let slash = directory.path.lastIndex(of: "/"), directory.path.count > 1 else { return nil }
        let above = ControlGroup(directory: root + directory.mount + directory.path[..<slash])
        return above.isMarkedDelegated && above.offersLimits() ? above : nil
    }

    /// Whether its manager says that what is below is none of its business (systemd, "Control Group APIs and
    /// Delegation": the attribute is `1`; only root sees the trusted one).
    private var isMarkedDelegated: Bool {
        ["user.delegate", "trusted.delegate"].contains { name in
            var value: [UInt8] = [0, 0]
            let count = getxattr(directory, name, &value, value.count)
            return count == 1 && value[0] == UInt8(ascii: "1")
        }
    }

    /// Where cgroup v2 is mounted, and the path of our own group below it (cgroups(7),
    /// proc_pid_mountinfo(5)).
    static func directory(groups: String, mounts: String) -> (mount: String, path: String)? {
        guard let line = groups.split(separator: "\n").first(where: { $0.hasPrefix("0::/") }) else {
            return nil
        }
        for mount in mounts.split(separator: "\n") {
            let fields = mount.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, dash > 4,
                fields[dash + 1] == "cgroup2"
            else { continue }
            // What is mounted may be a part of the whole tree.
            let part = fields[3] == "/" ? "" : fields[3]
            let path = line.dropFirst(3)
            guard path.hasPrefix(part), !path.contains("..") else { continue }
            let rest = String(path.dropFirst(part.count))
            return (String(fields[4]), rest == "/" ? "" : rest)
        }
        return nil
    }

    /// Whether groups below this one can have limits, after it has been asked to let them.
    private func offersLimits() -> Bool {
        guard access(directory, W_OK) == 0, access("\(directory)/cgroup.procs", W_OK) == 0 else {
            return false
        }
        if hasLimitsBelow { return true }
        // It fails where the group holds processes.
        try? write("+memory +cpu", to: "cgroup.subtree_control")
        return hasLimitsBelow
    }

    private var hasLimitsBelow: Bool {
        let below = (readSmallFile("\(directory)/cgroup.subtree_control") ?? "")
            .split { $0 == " " || $0 == "\n" }
        return below.contains("memory") && below.contains("cpu")
    }

    /// A group below this one.
    ///
    /// - Parameter memoryBytes: what its processes may hold together, swap included.
    /// - Parameter cores: how many cores' worth of time they may use together.
    public func makeGroup(named name: String, memoryBytes: UInt64, cores: Double) throws(SystemCallError)
        -> ControlGroup
    {
        let group = ControlGroup(directory: "\(directory)/\(name)")
        if mkdir(group.directory, 0o755) != 0, errno != EEXIST { throw SystemCallError("mkdir") }
        do throws(SystemCallError) {
            try group.limit(memoryBytes: memoryBytes, cores: cores)
        } catch {
            group.remove()
            throw error
        }
        return group
    }

    private func limit(memoryBytes: UInt64, cores: Double) throws(SystemCallError) {
        let period = 100_000.0
        // The kernel takes no less than a millisecond of each period.
        let quota = Int64(min(max(cores * period, 1_000), 1e12).rounded())
        try write("\(memoryBytes)", to: "memory.max")
        try write("\(quota) \(Int64(period))", to: "cpu.max")
        // A kernel without swap accounting has no such file.
        try? write("0", to: "memory.swap.max")
    }

    /// Puts a process into this group.
    public func add(_ process: Int32) throws(SystemCallError) {
        try write("\(process)", to: "cgroup.procs")
    }

    /// Removes the group, which holds no process any more.
    public func remove() {
        // A group that is left over is empty and costs nothing; the next host of its name takes it over.
        _ = rmdir(directory)
    }

    private func write(_ text: String, to file: String) throws(SystemCallError) {
        let path = "\(directory)/\(file)"
        let raw = try check("open \(file)") { open(path, O_WRONLY | O_CLOEXEC) }
        let descriptor = FileDescriptor(owning: raw)
        let bytes = Array(text.utf8)
        let written = retryingOnInterrupt { Glibc.write(descriptor.raw, bytes, bytes.count) }
        guard written == bytes.count else { throw SystemCallError("write \(file)") }
    }
}
