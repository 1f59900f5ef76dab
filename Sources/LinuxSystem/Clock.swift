import Glibc

/// Milliseconds that only ever grow; for time limits and intervals.
@inlinable
public func monotonicMilliseconds() -> UInt64 {
    monotonicNanoseconds() / 1_000_000
}

/// Nanoseconds that only ever grow; for durations.
@inlinable
public func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Milliseconds since 1970-01-01T00:00:00Z, by the system's clock.
public func wallMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
