import LinuxSystem
import Synchronization
import Testing

@testable import EventLoop

@Suite("A loop hears of every message, in the order in which each thread posted it")
struct EventLoopTests {
    private final class Collector: EventLoopHandler {
        let loop: EventLoop<Int>
        let total: Int
        var received: [Int] = []
        var expired: [UInt64] = []

        init(_ loop: EventLoop<Int>, total: Int) {
            self.loop = loop
            self.total = total
        }

        var hasWork: Bool { false }

        func ready(_ token: UInt64, _ readiness: Readiness) {}

        func deadlinePassed(_ token: UInt64) {
            expired.append(token)
            if expired.count == total { loop.stop() }
        }

        func turnEnded(_ messages: [Int]) {
            received += messages
            if total > 0, received.count == total { loop.stop() }
        }
    }

    @Test("Four threads post; all of it arrives")
    func mailbox() throws {
        let perThread = 2000
        let mailbox = try Mailbox<Int>()
        let loop = try EventLoop(mailbox: mailbox)
        let collector = Collector(loop, total: 4 * perThread)
        let ended = Atomic<Int>(0)
        for thread in 0..<4 {
            _ = try Thread(name: "poster") {
                for number in 0..<perThread { mailbox.post(thread * perThread + number) }
                ended.add(1, ordering: .relaxed)
            }
        }
        try loop.run(collector)
        for thread in 0..<4 {
            let range = thread * perThread..<(thread + 1) * perThread
            #expect(collector.received.filter(range.contains) == Array(range))
        }
        while ended.load(ordering: .relaxed) < 4 {}
    }

    @Test("What is posted together arrives together, behind what was posted before")
    func together() throws {
        let mailbox = try Mailbox<Int>()
        #expect(mailbox.mayOwnerSleep())
        mailbox.post(contentsOf: [])
        mailbox.post(1)
        mailbox.post(contentsOf: [2, 3])
        #expect(!mailbox.mayOwnerSleep())
        #expect(mailbox.take() == [1, 2, 3])
    }

    @Test("Deadlines pass in order while nothing else happens")
    func deadlines() throws {
        let loop = try EventLoop(mailbox: Mailbox<Int>())
        let collector = Collector(loop, total: 2)
        loop.schedule(2, at: loop.now + 120)
        loop.schedule(1, at: loop.now + 10)
        try loop.run(collector)
        #expect(collector.expired == [1, 2])
    }
}
