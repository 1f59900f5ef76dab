import CLinux
import Glibc

/// What the kernel knows of a process.
public enum ProcessReadings {
    /// Processor time of all its threads so far, in seconds; nil where there is no such process.
    public static func cpuSeconds(of process: Int32) -> Double? {
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(process, &clock) == 0, clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Resident memory, in bytes: the second number of `/proc/<pid>/statm`, in pages (proc_pid_statm(5)); nil
    /// where there is no such process.
    public static func residentBytes(of process: Int32) -> Int64? {
        let fields = (readSmallFile("/proc/\(process)/statm") ?? "").split(separator: " ")
        guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
        let (bytes, tooMany) = pages.multipliedReportingOverflow(by: Int64(sysconf(Int32(_SC_PAGESIZE))))
        return tooMany ? nil : bytes
    }
}

/// The text of a file of the kernel's, of which at most 64 KiB are read; nil where it cannot be read.
public func readSmallFile(_ path: String) -> String? {
    let raw = retryingOnInterrupt { open(path, O_RDONLY | O_CLOEXEC) }
    guard raw >= 0 else { return nil }
    let descriptor = FileDescriptor(owning: raw)
    var bytes: [UInt8] = Array(repeating: 0, count: 65_536)
    var count = 0
    while count < bytes.count {
        let got = bytes.withUnsafeMutableBytes { buffer in
            retryingOnInterrupt {
                Glibc.read(descriptor.raw, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
        }
        guard got >= 0 else { return nil }
        if got == 0 { break }
        count += got
    }
    return String(decoding: bytes[..<count], as: UTF8.self)
}
