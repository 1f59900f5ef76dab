import EventStore
import FIMLCore
import Testing

@testable import RedisStore

@Suite("Gateways on one Redis server know each other, and each lease has one holder at a time")
struct RedisClusterTests {
    let server: RedisServer
    let client: RedisClient
    private static let names = (1...8).map { "watchdog:w\($0)" }
    private static let wants = Dictionary(uniqueKeysWithValues: names.map { ($0, true) })

    init() throws {
        server = try RedisServer()
        client = server.client()
    }

    private func node(_ name: String) -> RedisCluster {
        RedisCluster(client, node: name)
    }

    private func beat(
        _ node: RedisCluster, ttl: Int = 300_000, wants: [String: Bool] = Self.wants
    ) throws -> ClusterBeat {
        try node.beat(record: Array(node.node.utf8), ttlMilliseconds: ttl, wants: wants)
    }

    /// How many leases each node holds after some rounds of beats.
    private func spread(_ nodes: [RedisCluster], rounds: Int = 10) throws -> [Int] {
        var counts: [Int] = []
        for _ in 0..<rounds {
            counts = try nodes.map { try beat($0).leases.values.filter(\.isHeld).count }
        }
        return counts
    }

    @Test("Each beat tells who lives, with what they told of themselves")
    func members() throws {
        let (a, b) = (node("a"), node("b"))
        #expect(try beat(a, wants: [:]).members.map(\.node) == ["a"])
        let beat = try beat(b, wants: [:])
        #expect(beat.members.map(\.node) == ["a", "b"])
        #expect(beat.members.map(\.record) == [Array("a".utf8), Array("b".utf8)])
        #expect(beat.members[1].ageMilliseconds == 0 && beat.now > 1_700_000_000_000)
        try a.leave(releasing: [])
        #expect(try self.beat(b, wants: [:]).members.map(\.node) == ["b"])
    }

    @Test("A node that no longer beats is no member after its time, and its leases are others'")
    func dead() throws {
        let (a, b) = (node("a"), node("b"))
        let first = try beat(a, ttl: 300)
        #expect(first.leases.values.allSatisfy { $0.isHeld && $0.grantedForMilliseconds == 300 })
        var second = try beat(b)
        let isOver = try eventually {
            second = try beat(b)
            return second.leases.values.allSatisfy(\.isHeld)
        }
        #expect(isOver && second.members.map(\.node) == ["b"])
        for name in Self.names {
            #expect((second.leases[name]?.token ?? 0) > (first.leases[name]?.token ?? .max))
        }
        #expect(try beat(a).leases.values.allSatisfy { !$0.isHeld && $0.holder == "b" })
    }

    @Test("Leases spread evenly over those who come, and stay where they are then")
    func spread() throws {
        let (a, b, c) = (node("a"), node("b"), node("c"))
        #expect(try spread([a], rounds: 1) == [8])
        #expect(try spread([a, b]) == [4, 4])
        let three = try spread([a, b, c])
        #expect(three.sorted() == [2, 3, 3])
        let before = try beat(a).leases.mapValues(\.token)
        #expect(try spread([a, b, c]) == three)
        #expect(try beat(a).leases.mapValues(\.token) == before, "nothing has moved")
        try b.leave(releasing: Self.names)
        #expect(try spread([a, c]) == [4, 4])
    }

    @Test("A beat gives back one lease at most")
    func gentle() throws {
        let (a, b) = (node("a"), node("b"))
        _ = try beat(a)
        for left in [7, 6, 5, 4, 4] {
            _ = try beat(b)
            #expect(try beat(a).leases.values.filter(\.isHeld).count == left)
        }
    }

    @Test(
        "A lease that only one node wants is that node's, however many it has; one not wanted is given back")
    func wanted() throws {
        let (a, b) = (node("a"), node("b"))
        _ = try beat(b, wants: ["watchdog:w1": true])
        for _ in 0..<3 {
            _ = try beat(a)
            _ = try beat(b, wants: ["watchdog:w1": true])
        }
        let leases = try beat(a).leases
        #expect(leases.filter(\.value.isHeld).count == 7 && leases["watchdog:w1"]?.holder == "b")
        let unwanted = try beat(b, wants: ["watchdog:w1": false]).leases["watchdog:w1"]
        #expect(unwanted?.holder == nil && unwanted?.token == 0)
        #expect(try beat(a).leases["watchdog:w1"]?.isHeld == true)
    }

    @Test("A second process of the same name is refused and takes nothing, until the first has left")
    func sameName() throws {
        let (first, second) = (node("gw-1"), node("gw-1"))
        _ = try beat(first)
        let error = failure { try beat(second) }
        #expect(error?.description.contains("another gateway calls itself gw-1") == true)
        try second.leave(releasing: Self.names)
        #expect(try beat(first).leases.values.allSatisfy(\.isHeld))
        try first.leave(releasing: Self.names)
        #expect(try beat(second).leases.values.allSatisfy(\.isHeld))
        #expect(failure { try beat(first) } != nil)
    }

    @Test("Tokens grow, also after the server was emptied")
    func tokens() throws {
        let (a, b) = (node("a"), node("b"))
        let before = try beat(a).leases.values.map(\.token).max() ?? .max
        try server.run("FLUSHALL")
        let after = try beat(b).leases.values.map(\.token)
        #expect(after.allSatisfy { $0 > before } && Set(after).count == 8)
        #expect(try beat(a).leases.values.allSatisfy { !$0.isHeld })
        try server.run("SET", "fiml:token", "9000000000000000")
        try b.release(Self.names)
        try b.leave(releasing: [])
        #expect(try beat(a).leases.values.allSatisfy { $0.token > 9_000_000_000_000_000 })
    }

    @Test("What is done under a lease counts only as long as it is held")
    func fenced() throws {
        let (a, b) = (node("a"), node("b"))
        let store = RedisEventStore(client)
        _ = try store.open(now: 0)
        func append(_ lease: ClusterBeat.Lease?) throws -> Bool {
            let fence = Fence(lease: "watchdog:w1", token: lease?.token ?? 0)
            return try store.append([Submission(events: [event("x")], fence: fence)], now: 0) != [.fenced]
        }
        let first = try beat(a).leases["watchdog:w1"]
        #expect(try append(first))
        try a.release(["watchdog:w1"])
        #expect(try !append(first))
        try a.leave(releasing: Self.names)
        let second = try beat(b).leases["watchdog:w1"]
        #expect(try !append(first) && append(second))
    }

    @Test("What one node tells, all read once, in order; about a thousand are kept")
    func notices() throws {
        let (a, b) = (node("a"), node("b"))
        #expect(try a.notices(after: .zero, waitMilliseconds: 1).isEmpty)
        try a.publishNotice([0])
        let start = try b.lastNotice()
        try a.publishNotice([1])
        try b.publishNotice([2, 255])
        let read = try a.notices(after: start, waitMilliseconds: 0)
        #expect(read.map(\.bytes) == [[1], [2, 255]] && read.map(\.node) == ["a", "b"])
        #expect(try a.notices(after: read[1].position, waitMilliseconds: 0).isEmpty)
        for _ in 0..<1500 { try a.publishNotice([3]) }
        #expect(try server.run("XLEN", "fiml:notices").number ?? 0 < 1200)
    }

    @Test("Beats of others' making do no harm")
    func hostile() throws {
        try server.run("HSET", "fiml:members", "x", "{", "y", "[]", "z", #"{"ends":9e15,"at":1,"wants":7}"#)
        let beat = try beat(node("a"))
        #expect(beat.leases.values.allSatisfy(\.isHeld) && beat.members.map(\.node) == ["a"])
    }

    @Test("A member from the future, of before the server's clock was set back, is forgotten")
    func clockSetBack() throws {
        let record = #"{"process":"p","record":"{}","wants":{"watchdog:w1":true},"at":9e12,"ends":9.1e12}"#
        let late = #"{"process":"p","record":"{}","wants":{"watchdog:w1":true},"at":1,"ends":9.1e12}"#
        try server.run("HSET", "fiml:members", "ahead", record, "late", late)
        try server.run("HSET", "fiml:lease:watchdog:w1", "holder", "ahead", "process", "p", "token", "1")
        try server.run("PEXPIRE", "fiml:lease:watchdog:w1", "86400000")
        #expect(try beat(node("a")).members.map(\.node) == ["a"])
        #expect(try server.run("PTTL", "fiml:lease:watchdog:w1").number ?? .max <= 300_000)
    }

    @Test("What is kept for all nodes is there while nodes beat, name by name")
    func kept() throws {
        let (a, b) = (node("a"), node("b"))
        #expect(try a.kept().isEmpty)
        try a.keep(["x": "1", "y": ""])
        try b.keep(["x": "ü"])
        try b.keep([:])
        #expect(try a.kept() == ["x": "ü", "y": ""])
        try server.run("PEXPIRE", "fiml:controls", "60000")
        _ = try beat(a)
        #expect(try server.run("PTTL", "fiml:controls").number ?? 0 > 500_000)
        let long = String(repeating: "x", count: RedisCluster.messageLimit)
        #expect(failure { try a.keep(["long": long]) } != nil)
    }

    @Test("A notice that is too long is refused, not fatal")
    func longNotice() throws {
        let a = node("a")
        let long: [UInt8] = Array(repeating: 0, count: RedisCluster.messageLimit + 1)
        #expect(failure { try a.publishNotice(long) }?.description.contains("65537 bytes") == true)
        try a.publishNotice(Array(long.dropLast()))
    }

    @Test("A full server renews leases all the same")
    func full() throws {
        let a = node("a")
        _ = try beat(a)
        try server.run("CONFIG", "SET", "maxmemory", "1")
        #expect(try beat(a).leases.values.allSatisfy(\.isHeld))
    }
}
