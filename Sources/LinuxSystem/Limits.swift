import CLinux
import Glibc

/// How many descriptors this process may have open, raised to the hard limit first.
public func raiseDescriptorLimit() -> Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return Int(clamping: limit.rlim_cur)
}

/// How many cores this process may use.
public func availableCores() -> Int {
    // 1,024 bits, as the C library's own set has.
    var set: [UInt64] = Array(repeating: 0, count: 16)
    guard sched_getaffinity(0, UInt(set.count * 8), &set) == 0 else { return 1 }
    return max(1, set.reduce(0) { $0 + $1.nonzeroBitCount })
}
