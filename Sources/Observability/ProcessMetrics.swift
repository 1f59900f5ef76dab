import FoundationEssentials
import Glibc

/// What Linux knows about this process, under the names that all Prometheus clients use. A figure that cannot
/// be read, say because every descriptor is taken, is left out.
enum ProcessMetrics {
    static func register(in registry: MetricsRegistry) {
        registry.counter("process_cpu_seconds_total", "User and system CPU time spent.", read: cpuSeconds)
        registry.gauge("process_resident_memory_bytes", "Resident memory.", read: residentBytes)
        registry.gauge("process_open_fds", "Open file descriptors.", read: openDescriptors)
        registry.gauge("process_max_fds", "Most file descriptors that may be open.", read: maxDescriptors)
        let start = startTime()
        registry.gauge("process_start_time_seconds", "When the process started, since 1970-01-01.") { start }
    }

    @Sendable private static func cpuSeconds() -> Double? {
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return nil }
        return [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
        }
    }

    /// The second number of `/proc/self/statm`, in pages (proc_pid_statm(5)).
    @Sendable private static func residentBytes() -> Double? {
        guard let fields = contents("/proc/self/statm")?.split(separator: " "), fields.count > 1 else {
            return nil
        }
        return Double(fields[1]).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
    }

    /// Since Linux 6.2 the size of `/proc/self/fd` is their number; before, the entries are counted.
    @Sendable private static func openDescriptors() -> Double? {
        var status = stat()
        if stat("/proc/self/fd", &status) == 0, status.st_size > 0 { return Double(status.st_size) }
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        // Not counted: ".", ".." and the descriptor that lists them.
        var count = -3.0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    @Sendable private static func maxDescriptors() -> Double? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Double(limit.rlim_cur)
    }

    /// Field 22 of `/proc/self/stat`, in clock ticks after boot (proc_pid_stat(5)), and `btime` of
    /// `/proc/stat`.
    private static func startTime() -> Double? {
        // The second field is the program's name in brackets, which may contain anything.
        guard
            let line = contents("/proc/self/stat"), let bracket = line.lastIndex(of: ")"),
            let boot = contents("/proc/stat")?.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }
            ),
            let bootTime = Double(boot.dropFirst(6))
        else { return nil }
        let fields = line[bracket...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        return bootTime + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func contents(_ path: String) -> String? {
        try? String(contentsOf: URL(filePath: path), encoding: .utf8)
    }
}
