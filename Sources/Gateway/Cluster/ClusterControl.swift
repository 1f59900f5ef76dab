import Configuration
import Dispatch
import EventStore
import FIMLCore
import Glibc
import LinuxSystem
import Locking
import Observability
import RedisStore

/// This gateway among those that share its Redis: tells them that it lives, learns who else does, holds
/// leases, and hears what others tell all.
///
/// One thread beats, five times within a lease. While Redis is away nobody is known to live, and leases end
/// by this node's own clock, before another node can have them.
final class ClusterControl: Sendable {
    /// A gateway that beat within its lease.
    struct Node: Sendable {
        /// Its name.
        let id: String
        /// What it tells of itself; see `ClusterRecord`.
        let record: JSONValue
        /// How long ago that was.
        let ageMilliseconds: Int
    }

    /// The cluster as of the last beat.
    struct View: Sendable {
        /// Who lives, this node among them, by their names.
        var nodes: [Node] = []
        /// Why the last beat failed; nil where it did not.
        var trouble: String?
    }

    private struct Held {
        let token: Int64
        /// Milliseconds of the monotonic clock.
        let until: UInt64
    }

    private struct State {
        var view = View()
        var held: [String: Held] = [:]
        var wants: [String: Bool] = [:]
        var record: [UInt8] = Array("{}".utf8)
        var hearers: [String: @Sendable (JSONValue, String) -> Void] = [:]
        var whenBack: (@Sendable () -> Void)?
        var isStopped = false
    }

    /// This node's name.
    let nodeID: String
    /// The way to the Redis that they share.
    let client: RedisClient
    private let cluster: RedisCluster
    private let log: Log
    private let leaseMilliseconds: Int
    private let state = Locked(State())
    private let stopped = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ client: RedisClient, _ settings: Settings, _ log: Log) {
        nodeID = settings.nodeID
        self.client = client
        cluster = RedisCluster(client, node: nodeID)
        self.log = log
        leaseMilliseconds = Int(settings.cluster.leaseTime.milliseconds)
    }

    /// Starts to beat.
    func start() throws(SystemCallError) {
        try LinuxSystem.Thread(name: "cluster") { [self] in
            var round = Round()
            while !state.withLock({ $0.isStopped }) { turn(&round) }
            ended.signal()
        }.detach()
    }

    /// Gives its leases back and is no member any more, so that others need not wait.
    func stop() {
        state.withLock { $0.isStopped = true }
        stopped.signal()
        _ = ended.wait(timeout: .now() + .seconds(2))
        let leases = state.withLock { $0.wants.keys.sorted() }
        do throws(StoreError) {
            try cluster.leave(releasing: leases)
        } catch {
            log.info("the other gateways learn of this one's end when its lease is over: \(error)")
        }
    }

    // MARK: - What others call

    /// What the next beat tells of this node, and which leases it wants (true) or not (false).
    func show(_ record: [UInt8], wants: [String: Bool]) {
        let fits = record.count <= RedisCluster.messageLimit
        state.withLock { state in
            if fits { state.record = record }
            state.wants = wants
        }
    }

    /// The leases that are held at this moment, with their tokens.
    func held() -> [String: Int64] {
        let now = monotonicMilliseconds()
        return state.withLock { state in state.held.filter { $0.value.until > now }.mapValues(\.token) }
    }

    /// Who lives.
    func view() -> View {
        state.withLock { $0.view }
    }

    /// Calls `hear` with what other nodes tell of that kind, and with the node's name; from a thread that
    /// must not wait.
    func hear(_ kind: String, _ hear: @escaping @Sendable (JSONValue, String) -> Void) {
        state.withLock { $0.hearers[kind] = hear }
    }

    /// Calls `back`, from a thread that must not wait, when this node is among the others again: it may have
    /// missed what they told.
    func whenBack(_ back: @escaping @Sendable () -> Void) {
        state.withLock { $0.whenBack = back }
    }

    /// Keeps texts by their names for all nodes, tells the others of it with that kind, and gives back all
    /// that is kept; may wait for Redis.
    func share(_ texts: [String: String], _ kind: String) throws(StoreError) -> [String: String] {
        try cluster.keep(texts)
        // Also while this node is no member: it is tried again until the others know.
        if !texts.isEmpty { try cluster.publishNotice(Self.notice(kind, .null)) }
        return try cluster.kept()
    }

    /// Tells all other nodes; may wait for Redis, and is not tried while that is known to be away. A node
    /// that is cut off for long does not hear of it.
    func tell(_ kind: String, _ content: JSONValue) {
        if let trouble = view().trouble {
            return log.warning("the other gateways were not told (\(kind)): \(trouble)")
        }
        do throws(StoreError) {
            try cluster.publishNotice(Self.notice(kind, content))
        } catch {
            log.warning("the other gateways were not told (\(kind)): \(error)")
        }
    }

    private static func notice(_ kind: String, _ content: JSONValue) -> [UInt8] {
        let notice: JSONValue = ["kind": .string(kind), "content": content]
        return notice.json
    }

    // MARK: - Beats

    /// What the thread that beats knows.
    private struct Round {
        /// The last notice that was heard.
        var heard: StreamPosition?
        /// When the next beat is due, in milliseconds of the monotonic clock.
        var due: UInt64 = 0
    }

    /// The longest that it waits for anything, so that it can be stopped.
    private static let waitMilliseconds = 500

    private func turn(_ round: inout Round) {
        let interval = max(100, leaseMilliseconds / 5)
        do throws(StoreError) {
            let now = monotonicMilliseconds()
            if now >= round.due {
                try beat()
                round.due = now + UInt64(interval)
            }
            // Waiting for notices is the pause between beats.
            if round.heard == nil { round.heard = try cluster.lastNotice() }
            let left = Int(clamping: Int64(round.due) - Int64(monotonicMilliseconds()))
            let wait = min(max(1, left), Self.waitMilliseconds)
            for notice in try cluster.notices(after: round.heard ?? .zero, waitMilliseconds: wait) {
                round.heard = notice.position
                if notice.node != nodeID { pass(notice) }
            }
        } catch {
            round.due = 0
            let isNews = state.withLock { state in
                defer { state.view = View(nodes: [], trouble: error.description) }
                return state.view.trouble == nil
            }
            if isNews { log.error("this gateway is cut off from the others: \(error)") }
            _ = stopped.wait(timeout: .now() + .milliseconds(min(interval, Self.waitMilliseconds)))
        }
    }

    private func beat() throws(StoreError) {
        let (record, wants) = state.withLock { ($0.record, $0.wants) }
        let before = monotonicMilliseconds()
        let beat = try cluster.beat(record: record, ttlMilliseconds: leaseMilliseconds, wants: wants)
        // What is done under a lease ends a little before another node may have it.
        let margin = min(500, leaseMilliseconds / 5)
        let granted = beat.leases.filter(\.value.isHeld).mapValues { lease in
            Held(token: lease.token, until: before + UInt64(max(0, lease.grantedForMilliseconds - margin)))
        }
        let nodes = beat.members.map { member in
            Node(
                id: member.node, record: (try? JSONValue.parse(member.record)) ?? .null,
                ageMilliseconds: member.ageMilliseconds)
        }
        let time = monotonicMilliseconds()
        let (old, wasCutOff, late) = state.withLock { state in
            // One that had ended here is not taken up with the token that it had: what was computed before
            // must not pass for news of now.
            let late = granted.filter { name, lease in
                state.held[name].map { $0.token == lease.token && $0.until <= time } ?? false
            }
            defer {
                state.view = View(nodes: nodes)
                state.held = granted.merging(late.mapValues { Held(token: $0.token, until: 0) }) { $1 }
            }
            return (Set(state.view.nodes.map(\.id)), state.view.trouble != nil, late.keys.sorted())
        }
        if !late.isEmpty { try cluster.release(late) }
        if wasCutOff {
            log.info("this gateway is among the others again")
            state.withLock { $0.whenBack }?()
        }
        let now = Set(nodes.map(\.id))
        guard now != old else { return }
        log.info("the gateways on this Redis are \(now.sorted().joined(separator: ", "))")
    }

    private func pass(_ notice: ClusterNotice) {
        guard let value = try? JSONValue.parse(notice.bytes), let kind = value["kind"]?.text else { return }
        let hear = state.withLock { $0.hearers[kind] }
        hear?(value["content"] ?? .null, notice.node)
    }
}

extension Settings {
    /// What other gateways call this one: as set, or the machine's name and the process's number.
    var nodeID: String {
        if let id = cluster.nodeID { return id }
        var name: [CChar] = Array(repeating: 0, count: 65)
        guard gethostname(&name, name.count - 1) == 0 else { return "gateway-\(getpid())" }
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let plain = host.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
        return "\(plain.prefix(48))-\(getpid())"
    }
}
