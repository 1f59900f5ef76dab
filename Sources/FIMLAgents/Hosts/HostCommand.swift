import LinuxSystem

/// What is started as a worker host.
public struct HostCommand: Hashable, Sendable {
    /// The path of the program's file.
    public var executable: String
    /// What it is told that its own name is, which ps shows (execve(2): `argv[0]`).
    public var name: String
    /// What it is told.
    public var arguments: [String]

    /// A program and what it is told; its name is its path where none is given.
    public init(executable: String, name: String? = nil, arguments: [String]) {
        self.executable = executable
        self.name = name ?? executable
        self.arguments = arguments
    }
}

/// What a worker host may use at most.
public struct HostLimits: Hashable, Sendable {
    /// In MiB.
    public var memoryMB: Int
    /// In cores.
    public var cpu: Double

    /// Limits of both.
    public init(memoryMB: Int, cpu: Double) {
        self.memoryMB = memoryMB
        self.cpu = cpu
    }

    var memoryBytes: UInt64 {
        let (bytes, tooMany) = UInt64(max(memoryMB, 1)).multipliedReportingOverflow(by: 1 << 20)
        return tooMany ? .max : bytes
    }

    /// Whole cores: a part of one counts as one.
    var wholeCores: Int {
        max(1, Int(exactly: cpu.rounded(.up)) ?? 1)
    }
}

/// What keeps a process within its limits.
struct AppliedLimits {
    var memoryLimitedBy: String?
    var cpuLimitedBy: String?
    /// The group that was made for the process.
    var group: ControlGroup?
}

extension HostLimits {
    /// Starts a program within these limits: by a control group where one can be made, else by resource
    /// limits and affinity, which are for each process rather than for all of a group, and for whole cores.
    ///
    /// - Parameter first: at which core its share begins where it is bound to cores.
    /// - Parameter group: where groups can be made.
    /// - Parameter applied: says by what it is limited.
    func start(
        _ command: HostCommand, connection: Int32, name: String, first: Int, in group: ControlGroup?,
        applied: inout AppliedLimits
    ) throws(SystemCallError) -> ChildProcess {
        // What cannot be limited one way is limited the other; status() says which it was.
        if let group = try? group?.makeGroup(named: name, memoryBytes: memoryBytes, cores: cpu) {
            do throws(SystemCallError) {
                let child = try Self.start(command, connection)
                try limiting(child) { () throws(SystemCallError) in try group.add(child.id) }
                applied.group = group
                applied.memoryLimitedBy = "cgroup v2"
                applied.cpuLimitedBy = "cgroup v2"
                return child
            } catch {
                group.remove()
            }
        }
        let child = try boundToCores(first: first, &applied) { () throws(SystemCallError) in
            try Self.start(command, connection)
        }
        try limiting(child) { () throws(SystemCallError) in
            try ProcessLimits.limitData(of: child.id, bytes: memoryBytes)
        }
        applied.memoryLimitedBy = "RLIMIT_DATA"
        return child
    }

    /// Limits a child in a way of its own, and in what all have in common. Never without: where it fails the
    /// child is ended.
    private func limiting(
        _ child: borrowing ChildProcess, _ limit: () throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        do throws(SystemCallError) {
            try ProcessLimits.forbidCoreDumps(of: child.id)
            // Events must not wait for analyses.
            try ProcessLimits.letOthersGoFirst(child.id)
            try limit()
        } catch {
            child.kill()
            _ = child.waitForEnd()
            throw error
        }
    }

    private static func start(_ command: HostCommand, _ connection: Int32) throws(SystemCallError)
        -> ChildProcess
    {
        try ChildProcess(
            executable: command.executable, name: command.name, arguments: command.arguments,
            // Nothing of ours, which holds secrets. Swift's backtracer would start a program of its own.
            environment: ["SWIFT_BACKTRACE=enable=no"], connection: connection)
    }

    /// A child takes over the affinity of the thread that starts it, with all threads that it will have; set
    /// from outside afterwards it would be too late for some.
    private func boundToCores(
        first: Int, _ applied: inout AppliedLimits,
        _ start: () throws(SystemCallError) -> ChildProcess
    ) throws(SystemCallError) -> ChildProcess {
        let all = try CoreSet.ofThisThread()
        let share = all.choosing(wholeCores, from: first)
        try share.bindThisThread()
        let child: ChildProcess
        do throws(SystemCallError) {
            child = try start()
        } catch {
            try all.bindThisThread()
            throw error
        }
        applied.cpuLimitedBy = "affinity to \(share.cores.count) core\(share.cores.count == 1 ? "" : "s")"
        do throws(SystemCallError) {
            try all.bindThisThread()
        } catch {
            child.kill()
            _ = child.waitForEnd()
            throw error
        }
        return child
    }
}
