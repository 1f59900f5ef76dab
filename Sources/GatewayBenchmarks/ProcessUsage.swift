import Glibc

/// What a process uses, as the kernel counts it.
struct ProcessUsage {
    /// Its number.
    let process: pid_t

    /// Processor time it has used so far, all threads, in nanoseconds.
    func processorNanoseconds() throws(BenchmarkError) -> UInt64 {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw BenchmarkError("process \(process) has ended")
        }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Resident memory, in bytes (proc(5), smaps_rollup: exact, unlike the counters of statm).
    func residentBytes() throws(BenchmarkError) -> Int {
        let lines = (readFile("/proc/\(process)/smaps_rollup") ?? "").split(separator: "\n")
        let words = lines.first { $0.hasPrefix("Rss:") }?.split(separator: " ") ?? []
        guard words.count > 1, let kibibytes = Int(words[1]) else {
            throw BenchmarkError("process \(process) has ended, or is another user's")
        }
        return kibibytes * 1024
    }
}

/// A small text file; nil where it cannot be read.
func readFile(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = Array(repeating: 0, count: 1 << 16)
    let count = read(descriptor, &bytes, bytes.count)
    return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
}
