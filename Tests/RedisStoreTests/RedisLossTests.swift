import EventStore
import FIMLCore
import Foundation
import GatewayTesting
import Testing

@testable import RedisStore

/// A gateway as its clients see it: what it has read by following, and up to where it has said that events
/// are missing.
private final class Follower {
    let store: RedisEventStore
    var position: StreamPosition
    var read: Set<StreamPosition> = []
    var lostUpTo = StreamPosition.zero
    var losses = 0

    init(_ client: RedisClient) throws {
        store = RedisEventStore(client)
        position = try store.open(now: 0).last
    }

    /// One page; whether there was anything new.
    @discardableResult
    func follow() throws -> Bool {
        let page = try store.follow(after: position, limit: 100, milliseconds: 0)
        let isLoss = page.earliest > position
        if isLoss {
            position = page.earliest
            lostUpTo = page.earliest
            losses += 1
        }
        #expect(page.events.allSatisfy { $0.position > position })
        #expect(page.events.map(\.position) == page.events.map(\.position).sorted())
        read.formUnion(page.events.map(\.position))
        position = page.events.last?.position ?? position
        return isLoss || !page.events.isEmpty
    }

    func catchUp() throws {
        while try follow() {}
    }

    /// Whether a client that was live here all the time has the event, or knows that it may miss it.
    func accounts(for answered: StreamPosition) -> Bool {
        read.contains(answered) || answered <= lostUpTo
    }
}

@Suite("Where the stream loses events, every gateway says so: nothing that was answered is missing silently")
struct RedisLossTests {
    let server: RedisServer

    init() throws {
        server = try RedisServer()
    }

    private enum Step: CaseIterable {
        case appendA, appendB, followA, followB, addedByOthers
    }

    /// All orders of the steps.
    private static func orders(_ steps: [Step]) -> [[Step]] {
        guard !steps.isEmpty else { return [[]] }
        return steps.indices.flatMap { index in
            var rest = steps
            let first = rest.remove(at: index)
            return orders(rest).map { [first] + $0 }
        }
    }

    @Test(
        "Whatever two gateways do first after it was emptied, and with how much unread before",
        arguments: [["FLUSHALL"], ["DEL", "watchdog:events"], ["DEL", "watchdog:meta"]], [false, true])
    func emptied(command: [String], hasRead: Bool) throws {
        for order in Self.orders(Step.allCases) {
            try server.run("FLUSHALL")
            let client = server.client()
            let (a, b) = (try Follower(client), try Follower(client))
            var answered = try a.store.append(event("a0")) + b.store.append(event("b0"))
            if hasRead { for one in [a, b] { try one.catchUp() } }
            _ = try client.ask(Self.command(command))
            for step in order { answered += try run(step, a, b) }
            for one in [a, b] {
                try one.catchUp()
                #expect(answered.allSatisfy(one.accounts), "\(command), \(hasRead), \(order)")
                #expect((1...2).contains(one.losses), "\(order)")
            }
            for one in [a, b] {
                answered += try one.store.append(event("end"))
            }
            #expect(answered == answered.sorted() && Set(answered).count == answered.count, "\(order)")
            for one in [a, b] {
                try one.catchUp()
                #expect(answered.suffix(2).allSatisfy(one.read.contains))
            }
        }
    }

    private func run(_ step: Step, _ a: Follower, _ b: Follower) throws -> [StreamPosition] {
        do {
            switch step {
            case .appendA: return try a.store.append(event("a1"))
            case .appendB: return try b.store.append(event("b1"))
            case .followA: try a.follow()
            case .followB: try b.follow()
            case .addedByOthers:
                try server.run(
                    "XADD", "watchdog:events", "*", "event", String(decoding: event("x").json, as: UTF8.self))
            }
        } catch {
            // Refused until this gateway has told its clients.
            #expect("\(error)".contains("has lost events"))
        }
        return []
    }

    private static func command(_ words: [String]) -> RedisCommand {
        var command = RedisCommand()
        for word in words { command.append(word) }
        return command
    }

    @Test("Random work with losses and trimming, from a seed", arguments: 1...20 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let client = server.client()
        let nodes = try (0..<3).map { _ in try Follower(client) }
        var answered: [StreamPosition] = []
        for _ in 0..<200 {
            let node = nodes[Int.random(in: 0..<3, using: &generator)]
            switch Int.random(in: 0..<40, using: &generator) {
            case 0: try server.run("FLUSHALL")
            case 1: try server.run("DEL", "watchdog:events")
            case 2: try server.run("DEL", "watchdog:meta")
            case 3: _ = try node.store.trim(toNewest: 3, storedSince: nil)
            case 4: try server.run("XTRIM", "watchdog:events", "MAXLEN", "2")
            case 5..<20: answered += try run(.appendA, node, node)
            case 20..<24: _ = try run(.addedByOthers, node, node)
            default: try node.follow()
            }
        }
        for node in nodes {
            try node.catchUp()
            #expect(answered.allSatisfy(node.accounts), "seed \(seed)")
        }
        #expect(answered == answered.sorted() && Set(answered).count == answered.count)
    }

    @Test("A server that comes back with an older copy is noticed, also when others append to it first")
    func olderCopy() throws {
        let client = server.client()
        let (a, b) = (try Follower(client), try Follower(client))
        var answered = try a.store.append(event("a0"))
        for one in [a, b] { try one.catchUp() }
        let copy = server.directory.appending(path: "copy")
        let live = server.directory.appending(path: "appendonlydir")
        server.kill()
        try FileManager.default.copyItem(at: live, to: copy)
        try server.restart()
        answered += try b.store.append(event("b0"))
        try b.catchUp()
        server.kill()
        try FileManager.default.removeItem(at: live)
        try FileManager.default.moveItem(at: copy, to: live)
        try server.restart()
        // This one has not seen what is gone.
        answered += try a.store.append(event("a1"))
        try a.catchUp()
        #expect(a.losses == 0)
        try b.catchUp()
        try a.catchUp()
        #expect(a.losses == 1 && b.losses == 1)
        #expect(answered.allSatisfy(a.accounts) && answered.allSatisfy(b.accounts))
        let next = try a.store.append(event("a2"))
        #expect(next[0] > answered.max() ?? .zero && next[0] > b.position)
    }

    @Test("Deleted and begun anew by others: noticed also by a gateway that had seen nothing of it")
    func begunAnew() throws {
        let client = server.client()
        let (a, b) = (try Follower(client), try Follower(client))
        let answered = try a.store.append(event("a0"))
        try server.run("DEL", "watchdog:events")
        _ = try run(.addedByOthers, a, b)
        try b.catchUp()
        #expect(b.losses == 1 && answered.allSatisfy(b.accounts))
    }

    @Test(
        "A new beginning that lies before what another gateway has seen, as after a clock went back, is moved"
    )
    func clockWentBack() throws {
        let client = server.client()
        let (a, b) = (try Follower(client), try Follower(client))
        let json = String(decoding: event("x").json, as: UTF8.self)
        // This century's last year, then the first of the next.
        try server.run("XADD", "watchdog:events", "4070908800000-0", "event", json)
        try b.catchUp()
        try server.run("FLUSHALL")
        try a.catchUp()
        try server.run("XADD", "watchdog:events", "4102444800000-0", "event", json)
        try b.catchUp()
        try a.catchUp()
        #expect(b.losses == 1 && b.lostUpTo > StreamPosition(milliseconds: 4_070_908_800_000, sequence: 0))
        #expect(a.position == b.position)
    }

    @Test("What was firing is listed again by whoever still knows, and what was resolved since stays so")
    func firing() throws {
        let client = server.client()
        let (a, b) = (try Follower(client), try Follower(client))
        let resolved = "1111111111111111"
        try a.store.append(event("a0"), event("a1", fingerprint: resolved))
        let known = try b.store.contents().firing
        try server.run("FLUSHALL")
        for one in [a, b] { try one.catchUp() }
        #expect(try a.store.contents().firing.isEmpty)
        try a.store.restoreFiring(known)
        #expect(try a.store.contents().firing == known)
        try a.store.append(event("a2", .resolved, fingerprint: resolved))
        try b.store.restoreFiring(known)
        #expect(try ids(b.store.contents().firing) == ["a0"])
        try a.store.append(event("a3", .updated))
        try b.store.restoreFiring(known)
        #expect(try ids(b.store.contents().firing) == ["a3"])
    }

    @Test("What was kept by name is put back after a loss, and never over what is there")
    func states() throws {
        let store = RedisEventStore(server.client())
        _ = try store.open(now: 0)
        try store.append(event("a0"))
        try server.run("HSET", "watchdog:meta", "broken", "1000")
        try store.restoreFiring([], states: ["s": [0]])
        #expect(try store.contents().states.isEmpty, "nothing was lost")
        try server.run("FLUSHALL")
        _ = try store.contents()
        try store.restoreFiring([], states: ["s": [1]])
        try store.restoreFiring([], states: ["s": [2], "t": [3]])
        #expect(try store.contents().states == ["s": [1], "t": [3]])
    }

    @Test("Without a loss nothing is listed again")
    func noLoss() throws {
        let store = RedisEventStore(server.client())
        _ = try store.open(now: 0)
        try store.append(event("a0"))
        let known = try store.contents().firing
        try store.append(event("a1", .resolved))
        try server.run("HSET", "watchdog:meta", "broken", "1000")
        try store.restoreFiring(known)
        #expect(try store.contents().firing.isEmpty)
    }
}
