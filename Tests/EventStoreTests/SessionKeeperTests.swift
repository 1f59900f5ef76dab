import FIMLCore
import GatewayTesting
import Locking
import Testing

@testable import EventStore

/// A keyed store that can be away, and that several keepers can share.
final class FallibleKeyedStore: KeyedStore {
    let memory = MemoryKeyedStore(entries: 10_000, bytes: 10_000_000)
    let isAway = Locked(false)
    let puts = Locked(0)
    /// How often it was asked for anything.
    let calls = Locked(0)
    let closings = Locked(0)

    var kind: String { "fallible" }

    private func check() throws(StoreError) {
        calls.withLock { $0 += 1 }
        if isAway.withLock({ $0 }) { throw .unavailable("the server is away") }
    }

    func open() throws(StoreError) { try check() }

    func put(_ entries: [KeptEntry]) throws(StoreError) {
        try check()
        puts.withLock { $0 += entries.count }
        try memory.put(entries)
    }

    func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        try check()
        return try memory.get(key, now: now)
    }

    func remove(_ key: String) throws(StoreError) {
        try check()
        try memory.remove(key)
    }

    func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        try check()
        try memory.removeExpired(now: now, prefix: prefix, limit: limit)
    }

    func count(prefix: String) throws(StoreError) -> Int { try memory.count(prefix: prefix) }
    func ping() throws(StoreError) -> String { "" }
    func close() { closings.withLock { $0 += 1 } }
}

/// A node with its keeper, its clock, and what it was told.
final class SessionNode: Sendable {
    struct Told {
        var taken: [SessionOwner] = []
        var attached: [Int64] = []
        var trouble: [String?] = []
    }

    let keeper: SessionKeeper
    let told: Locked<Told>
    let now: Locked<Int64>
    private let work: Locked<SessionWork>
    private let turns = Locked<UInt64>(0)

    init(_ store: any KeyedStore, isShared: Bool = false, now: Int64 = 1_000_000, limit: Int = 1000) {
        let told = Locked(Told())
        let clock = Locked(now)
        var limits = SessionKeeper.Limits()
        limits.sessions = limit
        keeper = SessionKeeper(
            store: store, isShared: isShared, limits: limits,
            listener: .init(
                taken: { _, owner in told.withLock { $0.taken.append(owner) } },
                attached: { _, generation in told.withLock { $0.attached.append(generation) } },
                trouble: { sentence in told.withLock { $0.trouble.append(sentence) } }),
            clock: { clock.withLock { $0 } })
        self.told = told
        self.now = clock
        let turns = turns
        work = Locked(SessionWork(keeper: keeper, ticks: { turns.withLock { $0 } }))
    }

    /// A turn of the keeper's thread, so many milliseconds after the last.
    func turn(after milliseconds: UInt64 = 1000) {
        now.withLock { $0 += Int64(milliseconds) }
        turns.withLock { $0 += milliseconds }
        work.withLock { $0.turn() }
    }

    /// Asks for a session and lets the keeper answer at once.
    func attach(_ name: SessionName, _ owner: SessionOwner, ttlHours: Int? = nil) -> SessionKeeper.Attachment?
    {
        let answer = Locked<SessionKeeper.Attachment?>(nil)
        keeper.attach(name, owner, ttlHours: ttlHours) { attachment in answer.withLock { $0 = attachment } }
        turn(after: 0)
        return answer.withLock { $0 }
    }
}

extension SessionKeeper.Attachment {
    var record: SessionRecord? {
        if case .attached(let record, _, _) = self { record } else { nil }
    }

    var isResumed: Bool? {
        if case .attached(_, let resumed, _) = self { resumed } else { nil }
    }
}

@Suite("A session has one connection, keeps what the client confirmed, and is never silently empty")
struct SessionKeeperTests {
    private let name = SessionName("a-bot-and-its-secret")!
    private let first = SessionOwner(loop: 0, connection: 1)
    private let second = SessionOwner(loop: 1, connection: 1)
    private let store = FallibleKeyedStore()

    private func position(_ milliseconds: UInt64) -> StreamPosition {
        StreamPosition(milliseconds: milliseconds, sequence: 0)
    }

    private func subscription(_ id: String = "a", at milliseconds: UInt64 = 5) -> SessionRecord.Subscription {
        .init(subscriptionID: id, filter: .everything, position: position(milliseconds))
    }

    private func isAway(_ isAway: Bool) {
        store.isAway.withLock { $0 = isAway }
    }

    /// A session with a subscription that is confirmed up to 7, written and left.
    private func leave(_ node: SessionNode) {
        _ = node.attach(name, first)
        #expect(node.keeper.change(name, first, .put(subscription())) == .kept)
        #expect(node.keeper.change(name, first, .confirm(["a": position(7)])) == .kept)
        node.keeper.detach(name, first)
        node.turn()
    }

    @Test("It comes back as it was left, after a restart and on another node", arguments: [false, true])
    func comingBack(isShared: Bool) throws {
        let node = SessionNode(store, isShared: isShared)
        let fresh = try #require(node.attach(name, first))
        #expect(fresh.isResumed == false && fresh.record?.subscriptions == [])
        leave(node)
        for again in [node, SessionNode(store, isShared: isShared)] {
            let back = try #require(again.attach(name, second))
            #expect(back.isResumed == true)
            #expect(back.record?.subscriptions == [subscription(at: 7)])
        }
    }

    @Test("What is confirmed is written at most once a second, however often; a subscription at once")
    func coalescing() throws {
        let node = SessionNode(store)
        _ = node.attach(name, first)
        node.turn()
        let before = store.puts.withLock { $0 }
        _ = node.keeper.change(name, first, .put(subscription()))
        node.turn(after: 1)
        #expect(store.puts.withLock { $0 } == before + 1)
        for milliseconds in 6..<1000 as Range<UInt64> {
            _ = node.keeper.change(name, first, .confirm(["a": position(milliseconds)]))
            node.turn(after: 1)
        }
        #expect(store.puts.withLock { $0 } == before + 1)
        node.turn(after: 10)
        node.turn(after: 2000)
        #expect(store.puts.withLock { $0 } == before + 2)
        let kept = try #require(try store.get("session:\(SessionDigest(name).text)", now: 0))
        #expect(try SessionRecord.read(kept.value).record["a"]?.position == position(999))
    }

    @Test(
        "The newer connection wins with all that was confirmed, and the older is told and can change nothing")
    func takeOver() throws {
        let node = SessionNode(store)
        _ = node.attach(name, first)
        _ = node.keeper.change(name, first, .put(subscription()))
        _ = node.keeper.change(name, first, .confirm(["a": position(8)]))
        let newer = try #require(node.attach(name, second))
        #expect(newer.isResumed == true && newer.record?["a"]?.position == position(8))
        #expect(node.told.withLock { $0.taken } == [first])
        #expect(node.keeper.change(name, first, .confirm(["a": position(9)])) == .taken)
        node.keeper.detach(name, first)
        node.turn()
        #expect(node.keeper.change(name, second, .confirm(["a": position(9)])) == .kept)
        #expect(node.told.withLock { $0.attached } == [1, 2])
    }

    @Test("On another node too: by word of the cluster, and without it before anything old is written")
    func takeOverAcrossNodes() throws {
        let nodes = [SessionNode(store, isShared: true), SessionNode(store, isShared: true)]
        _ = nodes[0].attach(name, first)
        _ = nodes[0].keeper.change(name, first, .put(subscription()))
        nodes[0].turn()
        let newer = try #require(nodes[1].attach(name, second))
        #expect(newer.isResumed == true && newer.record?.generation == 2)
        _ = nodes[1].keeper.change(name, second, .put(subscription("b")))
        nodes[1].turn()
        // Node 0 has not heard of it, and would write what it has.
        #expect(nodes[0].keeper.change(name, first, .confirm(["a": position(9)])) == .kept)
        nodes[0].turn()
        #expect(nodes[0].told.withLock { $0.taken } == [first])
        #expect(nodes[0].keeper.change(name, first, .confirm(["a": position(10)])) == .taken)
        let kept = try #require(try store.get("session:\(SessionDigest(name).text)", now: 0))
        #expect(try SessionRecord.read(kept.value).record.subscriptions.map(\.subscriptionID) == ["a", "b"])

        _ = nodes[0].attach(name, first)
        nodes[1].keeper.takenOver(SessionDigest(name), generation: 2)
        #expect(nodes[1].told.withLock { $0.taken } == [])
        nodes[1].keeper.takenOver(SessionDigest(name), generation: 3)
        #expect(nodes[1].told.withLock { $0.taken } == [second])
    }

    @Test("While the store is away nobody new is taken as new; who is there goes on, and is written after")
    func storeAway() throws {
        let node = SessionNode(store, isShared: true)
        _ = node.attach(name, first)
        _ = node.keeper.change(name, first, .put(subscription()))
        node.turn()
        isAway(true)
        #expect(node.keeper.change(name, first, .confirm(["a": position(9)])) == .kept)
        node.turn()
        let stranger = try #require(SessionName("another-bot-and-its-own"))
        guard case .unavailable? = node.attach(stranger, second) else {
            Issue.record("a session was begun that nothing is known of")
            return
        }
        #expect(node.keeper.change(stranger, second, .put(subscription())) == .taken)
        // The one that is there may even come back by another connection.
        #expect(node.attach(name, second)?.record?["a"]?.position == position(9))
        #expect(node.told.withLock { $0.trouble.count } == 1 && node.keeper.status.trouble != nil)
        isAway(false)
        node.turn()
        #expect(node.told.withLock { $0.trouble.last } == .some(nil) && node.keeper.status.trouble == nil)
        #expect(node.keeper.status.unwritten == 0)
        let kept = try #require(try store.get("session:\(SessionDigest(name).text)", now: 0))
        #expect(try SessionRecord.read(kept.value).record["a"]?.position == position(9))
    }

    @Test("What is remembered is trusted without the store only where nobody else writes there")
    func remembering() {
        for (isShared, comesBack) in [(false, true), (true, false)] {
            let node = SessionNode(store, isShared: isShared)
            leave(node)
            isAway(true)
            #expect((node.attach(name, second)?.isResumed ?? false) == comesBack)
            isAway(false)
            node.turn()
            node.keeper.detach(name, second)
            node.turn()
        }
    }

    @Test("It is forgotten when it was not used for its time, which is counted from the client's leaving")
    func expiry() throws {
        let hour: UInt64 = 3_600_000
        let node = SessionNode(store)
        #expect(node.attach(name, first, ttlHours: 1)?.record?.ttlSeconds == 3600)
        _ = node.keeper.change(name, first, .put(subscription()))
        for _ in 0..<8 { node.turn(after: hour / 4) }
        node.keeper.detach(name, first)
        node.turn()
        node.turn(after: hour - 2000)
        #expect(SessionNode(store, now: node.now.withLock { $0 }).attach(name, first)?.isResumed == true)

        node.turn(after: 2000)
        for restarted in [true, false] {
            let later = node.now.withLock { $0 } + Int64(hour) + 60_000
            let other = restarted ? SessionNode(store, now: later) : node
            if !restarted { node.now.withLock { $0 = later + 1_000_000_000 } }
            #expect(other.attach(name, second)?.isResumed == false, "\(restarted)")
            other.keeper.detach(name, second)
            other.turn()
        }
        #expect(
            node.attach(SessionName("a-bot-that-wants-ages")!, first, ttlHours: 8000)?.record?.ttlSeconds
                == 604_800)
    }

    @Test("A session that is ended is gone; only its own connection can end it")
    func ending() {
        let node = SessionNode(store)
        leave(node)
        _ = node.attach(name, first)
        let answers = Locked<[String?]>([])
        for owner in [second, first] {
            node.keeper.end(name, owner) { answer in answers.withLock { $0.append(answer) } }
            node.turn()
        }
        #expect(answers.withLock { $0 } == [nil, nil])
        #expect(node.keeper.change(name, first, .put(subscription())) == .taken)
        #expect(node.attach(name, first)?.isResumed == false)

        isAway(true)
        node.keeper.end(name, first) { answer in answers.withLock { $0.append(answer) } }
        node.turn()
        #expect(answers.withLock { $0.last } != .some(nil))
        #expect(node.keeper.change(name, first, .put(subscription())) == .kept)
    }

    @Test("A session's name, which is a secret, stands in no store: its SHA-256 does")
    func digest() throws {
        _ = SessionNode(store).attach(name, first)
        // printf a-bot-and-its-secret | sha256sum
        let digest = "298fe14aac2084a8126066660fa2490918e9b8ef287e789ad4aaef7bbed7412c"
        let kept = try #require(try store.get("session:\(digest)", now: 0))
        #expect(!String(decoding: kept.value, as: UTF8.self).contains(name.secret))
    }

    @Test("What was stored by nobody is forgotten aloud; what a newer gateway stored is left alone")
    func unreadable() throws {
        let key = "session:\(SessionDigest(name).text)"
        func store(_ text: String) throws {
            try self.store.put([KeptEntry(key: key, value: Array(text.utf8), expiresAt: .max)])
        }
        try store(#"{"version":2}"#)
        let node = SessionNode(self.store)
        guard case .unavailable? = node.attach(name, first) else {
            Issue.record("what a newer gateway keeps was not respected")
            return
        }
        try store("gibberish")
        #expect(node.attach(name, first)?.isResumed == false)
        #expect(node.told.withLock { $0.trouble.first??.hasPrefix("session a-bo… cannot be read") } == true)
        let filter = #"{"severities":["unheard-of"]}"#
        try store(
            #"{"version":1,"generation":9,"ttl_seconds":60,"used_at":"2026-11-24T05:24:01.123Z","#
                + #""subscriptions":[{"subscription_id":"a","filter":\#(filter),"position":"5-0"}]}"#)
        guard case .attached(_, true, let dropped)? = SessionNode(self.store).attach(name, first) else {
            Issue.record("was not resumed")
            return
        }
        #expect(dropped.map(\.subscriptionID) == ["a"])
    }

    @Test("It has a bound: those of nobody give way, those with a connection do not")
    func bound() throws {
        let node = SessionNode(store, limit: 10)
        let names = (0..<30).map { SessionName("a-bot-with-a-number-\($0)")! }
        for (number, name) in names.enumerated() {
            let owner = SessionOwner(loop: 0, connection: UInt64(number))
            #expect(node.attach(name, owner)?.isResumed == false)
            node.keeper.detach(name, owner)
            node.turn()
            #expect(node.keeper.status.sessions <= 10)
        }
        for (number, name) in names[..<10].enumerated() {
            let owner = SessionOwner(loop: 0, connection: UInt64(number))
            #expect(node.attach(name, owner)?.isResumed == true)
        }
        guard case .unavailable? = node.attach(names[20], first) else {
            Issue.record("more sessions than there is room for")
            return
        }
    }

    @Test("Its own thread answers, and when it is stopped it writes the last of it and closes the store")
    func thread() throws {
        let keeper = SessionKeeper(
            store: store, isShared: false, limits: .init(), listener: .init(taken: { _, _ in }))
        try keeper.start()
        let isAttached = Locked(false)
        keeper.attach(name, first, ttlHours: nil) { _ in isAttached.withLock { $0 = true } }
        let deadline = ContinuousClock.now + .seconds(120)
        while !isAttached.withLock({ $0 }), ContinuousClock.now < deadline {}
        _ = keeper.change(name, first, .put(subscription()))
        _ = keeper.change(name, first, .confirm(["a": position(42)]))
        keeper.detach(name, first)
        keeper.stop()
        #expect(store.closings.withLock { $0 } == 1)
        let kept = try #require(try store.get("session:\(SessionDigest(name).text)", now: 0))
        #expect(try SessionRecord.read(kept.value).record["a"]?.position == position(42))
        keeper.attach(name, first, ttlHours: nil) { attachment in
            #expect(attachment.isResumed == nil)
        }
    }
}
