import CLinux
import Glibc

/// Bounds on what another process of ours may use (prlimit(2)). Throw where the kernel refuses them.
public enum ProcessLimits {
    /// Writable memory of its own, in bytes: heap, stacks, private mappings (RLIMIT_DATA).
    public static func limitData(of process: Int32, bytes: UInt64) throws(SystemCallError) {
        try set(Int32(RLIMIT_DATA.rawValue), of: process, to: bytes)
    }

    /// No file of its memory is written when it crashes (RLIMIT_CORE).
    public static func forbidCoreDumps(of process: Int32) throws(SystemCallError) {
        try set(Int32(RLIMIT_CORE.rawValue), of: process, to: 0)
    }

    /// Lets others go first where all cores are taken (nice(2)): where both want a core it gets a seventieth.
    public static func letOthersGoFirst(_ process: Int32) throws(SystemCallError) {
        _ = try check("setpriority") { setpriority(Int32(PRIO_PROCESS.rawValue), id_t(process), 19) }
    }

    private static func set(_ resource: Int32, of process: Int32, to value: UInt64) throws(SystemCallError) {
        var before = rlimit()
        _ = try check("prlimit") { prlimit(process, resource, nil, &before) }
        // A stricter one that is there already stays: to raise it needs a privilege.
        let value = min(rlim_t(value), before.rlim_max)
        var limit = rlimit(rlim_cur: value, rlim_max: value)
        _ = try check("prlimit") { prlimit(process, resource, &limit, nil) }
    }
}

/// The cores that a thread may run on (sched_setaffinity(2)).
public struct CoreSet: Equatable, Sendable {
    /// 1,024 bits, as the C library's own set has.
    private var words: [UInt64] = Array(repeating: 0, count: 16)

    /// Those of the calling thread. Throws where the kernel does not say.
    public static func ofThisThread() throws(SystemCallError) -> CoreSet {
        var set = CoreSet()
        _ = try check("sched_getaffinity") {
            sched_getaffinity(0, UInt(set.words.count * 8), &set.words)
        }
        return set
    }

    /// Makes the calling thread, and what it starts from now on, run on these cores only.
    public func bindThisThread() throws(SystemCallError) {
        _ = try check("sched_setaffinity") { sched_setaffinity(0, UInt(words.count * 8), words) }
    }

    /// The numbers of the cores, in their order.
    public var cores: [Int] {
        (0..<words.count * 64).filter { words[$0 / 64] >> UInt64($0 % 64) & 1 == 1 }
    }

    /// So many of these cores, all if there are no more, beginning with the `first`th and going round: sets
    /// that begin at different places spread over all.
    public func choosing(_ count: Int, from first: Int) -> CoreSet {
        let cores = cores
        guard count < cores.count else { return self }
        var chosen = CoreSet()
        for place in 0..<max(count, 1) {
            let core = cores[(first % cores.count + place) % cores.count]
            chosen.words[core / 64] |= 1 << UInt64(core % 64)
        }
        return chosen
    }
}
