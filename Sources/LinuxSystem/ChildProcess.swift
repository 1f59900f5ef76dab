import CLinux
import Glibc

/// A child process, from its start until its end has been taken note of (waitpid(2)).
///
/// Whoever starts one says how it ends: `reap` must be called until it answers, else a zombie is left.
public struct ChildProcess: ~Copyable, Sendable {
    /// Its number, its own until `reap` has answered.
    public let id: Int32
    private let handle: FileDescriptor

    /// Starts a program, by the path of its file; `name` is what it is told as its own, and ps shows.
    ///
    /// The child has `connection` as its input and output and shares our error output; it inherits nothing
    /// else: no other descriptor, no variable but those given, no blocked or ignored signal. It is the first
    /// of its own process group, so that a Ctrl-C in the terminal is for us alone.
    public init(
        executable: String, name: String, arguments: [String], environment: [String], connection: Int32
    ) throws(SystemCallError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, connection, 0)
        posix_spawn_file_actions_adddup2(&actions, connection, 1)
        // Ours close themselves; this is for those of libraries that forgot to say so.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

        var argumentPointers = ([name] + arguments).map { strdup($0) }
        argumentPointers.append(nil)
        var environmentPointers = environment.map { strdup($0) }
        environmentPointers.append(nil)
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }
        var id: pid_t = 0
        let code = posix_spawn(
            &id, executable, &actions, &attributes, argumentPointers, environmentPointers)
        guard code == 0 else { throw SystemCallError("posix_spawn", code: code) }
        let handle = open_process(id)
        guard handle >= 0 else {
            let error = SystemCallError("pidfd_open")
            _ = Glibc.kill(id, SIGKILL)
            _ = retryingOnInterrupt { waitpid(id, nil, 0) }
            throw error
        }
        self.id = id
        self.handle = FileDescriptor(owning: handle)
    }

    /// Readable as soon as the child has ended (pidfd_open(2)).
    public var raw: Int32 { handle.raw }

    /// Ends it at once (SIGKILL), also when it is stopped.
    public borrowing func kill() {
        // It fails only where the child has ended already, which is what was asked for.
        _ = Glibc.kill(id, SIGKILL)
    }

    /// How a child has ended, and what it used.
    public struct End: Equatable, Sendable, CustomStringConvertible {
        /// As waitpid(2) gives it; nil where somebody else has taken it.
        let status: Int32?
        /// Processor time of all its threads, in seconds.
        public let cpuSeconds: Double

        /// `exit status 1`, `killed by signal 9 (Killed)`.
        public var description: String {
            guard let status else { return "ended" }
            let signal = status & 0x7F
            if signal == 0 { return "exit status \(status >> 8 & 0xFF)" }
            return "killed by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }

    /// How it has ended; nil while it runs. Must not be called again after it has answered.
    public borrowing func reap() -> End? {
        end(Int32(WNOHANG))
    }

    /// Waits until it has ended, which should have been made sure of before.
    public borrowing func waitForEnd() -> End? {
        end(0)
    }

    private borrowing func end(_ options: Int32) -> End? {
        var status: Int32 = 0
        var usage = rusage()
        let id = id
        let found = retryingOnInterrupt { wait4(id, &status, options, &usage) }
        // Where SIGCHLD is ignored the kernel reaps by itself (wait(2)).
        if found == -1, errno == ECHILD { return End(status: nil, cpuSeconds: 0) }
        guard found == id else { return nil }
        let times = [usage.ru_utime, usage.ru_stime].map { Double($0.tv_sec) + Double($0.tv_usec) / 1e6 }
        return End(status: status, cpuSeconds: times[0] + times[1])
    }
}

/// Asks the kernel to end this process (SIGKILL) as soon as the thread that started it has ended, whatever
/// ends that one (PR_SET_PDEATHSIG).
public func endWithParent() {
    _ = set_parent_death_signal(SIGKILL)
}

/// Names this process, by its first thread, which must be the caller (PR_SET_NAME): top shows it. Cut to the
/// kernel's 15 bytes.
public func nameProcess(_ name: String) {
    _ = set_thread_name(name)
}

/// Lets the ends of children be told, whatever whoever started this process has set (wait(2): where SIGCHLD
/// is ignored nobody learns how a child ended).
public func hearOfChildren() {
    _ = Glibc.signal(SIGCHLD, SIG_DFL)
}

/// Ignores signals from now on.
public func ignoreSignals(_ signals: [Int32]) {
    for signal in signals { _ = Glibc.signal(signal, SIG_IGN) }
}
