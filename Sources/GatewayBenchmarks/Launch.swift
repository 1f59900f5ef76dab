import CLinux
import Glibc

/// What a server runs under: `gateway-bench launch` puts it into effect and then becomes the server.
///
/// A step of its own between the fork and the server, since only the process itself can ask to be ended with
/// its parent, and what it sets holds for all threads that the server starts.
struct Launch {
    /// Nil for all cores.
    var core: Int?
    /// Hard limit of open descriptors; nil leaves it.
    var descriptorLimit: Int?
    /// Working directory, for `server.log` too: a `.env` file where the benchmark was started has no effect.
    let directory: String
    /// The program and its arguments.
    let command: [String]

    /// For the command line of `gateway-bench`.
    var arguments: [String] {
        ["launch", core.map(String.init) ?? "-", descriptorLimit.map(String.init) ?? "-", directory] + command
    }

    /// From that command line.
    init?(arguments: [String]) {
        guard arguments.count >= 4 else { return nil }
        core = Int(arguments[0])
        descriptorLimit = Int(arguments[1])
        directory = arguments[2]
        command = Array(arguments[3...])
    }

    init(core: Int? = nil, descriptorLimit: Int? = nil, directory: String, command: [String]) {
        self.core = core
        self.descriptorLimit = descriptorLimit
        self.directory = directory
        self.command = command
    }

    /// Becomes the server; returns only where that fails.
    func run() -> BenchmarkError {
        // However the benchmark ends, also by a signal, its servers end with it.
        _ = set_parent_death_signal(SIGKILL)
        signal(SIGPIPE, SIG_DFL)
        if let core { Cores.pin(to: core) } else { Cores.unpin() }
        if let descriptorLimit {
            var limit = rlimit(rlim_cur: rlim_t(descriptorLimit), rlim_max: rlim_t(descriptorLimit))
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        let log = open("\(directory)/server.log", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard chdir(directory) == 0, log >= 0, dup2(log, 1) == 1, dup2(log, 2) == 2 else {
            return BenchmarkError("\(directory): \(String(cString: strerror(errno)))")
        }
        var arguments = command.map { strdup($0) }
        arguments.append(nil)
        execv(command[0], arguments)
        return BenchmarkError("\(command[0]): \(String(cString: strerror(errno)))")
    }
}

/// Which cores may be used, and by whom.
enum Cores {
    /// The numbers of those this process may use.
    static func available() -> [Int] {
        var set: [UInt64] = Array(repeating: 0, count: 16)
        guard sched_getaffinity(0, UInt(set.count * 8), &set) == 0 else { return [] }
        return (0..<1024).filter { set[$0 / 64] & (1 << UInt64($0 % 64)) != 0 }
    }

    /// Lets the calling thread, and all that it starts, run on every core that there is.
    static func unpin() {
        // Of a set of all, the kernel takes those that it has (sched_setaffinity(2)).
        let set: [UInt64] = Array(repeating: .max, count: 16)
        _ = sched_setaffinity(0, UInt(set.count * 8), set)
    }

    /// Binds the calling thread, and all that it starts, to one.
    static func pin(to core: Int) {
        var set: [UInt64] = Array(repeating: 0, count: 16)
        set[core / 64] = 1 << UInt64(core % 64)
        _ = sched_setaffinity(0, UInt(set.count * 8), &set)
    }
}
