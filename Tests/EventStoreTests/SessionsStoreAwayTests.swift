import FIMLCore
import Locking
import Testing

@testable import EventStore

@Suite("A store of sessions that hangs costs one wait, not one for each client, and ends nothing")
struct SessionsStoreAwayTests {
    private let store = FallibleKeyedStore()

    private func isAway(_ isAway: Bool) {
        store.isAway.withLock { $0 = isAway }
    }

    /// How often the store is asked meanwhile.
    private func calls(_ body: () -> Void) -> Int {
        let before = store.calls.withLock { $0 }
        body()
        return store.calls.withLock { $0 } - before
    }

    private func client(_ number: Int) -> (name: SessionName, owner: SessionOwner) {
        (
            SessionName("a-bot-with-a-number-\(number)")!,
            SessionOwner(loop: 0, connection: UInt64(number))
        )
    }

    @Test(
        "Many unwritten sessions are written in one turn, and wait while it is away",
        arguments: [false, true])
    func manyUnwritten(isShared: Bool) {
        let node = SessionNode(store, isShared: isShared)
        let count = SessionWork.batch * 2 + 10
        for number in 0..<count { _ = node.attach(client(number).name, client(number).owner) }
        node.turn()
        let subscription = SessionRecord.Subscription(
            subscriptionID: "a", filter: .everything, position: StreamPosition(milliseconds: 5, sequence: 0))
        for number in 0..<count {
            _ = node.keeper.change(client(number).name, client(number).owner, .put(subscription))
        }
        isAway(true)
        #expect(calls { node.turn() } == 1)
        #expect(node.keeper.status.unwritten == count)
        isAway(false)
        node.turn()
        #expect(node.keeper.status.unwritten == 0)
    }

    @Test("Who comes while it is known to be away is told at once; it is tried again, ever more seldom")
    func pauses() {
        let node = SessionNode(store)
        isAway(true)
        let answers = Locked<[SessionKeeper.Attachment]>([])
        func come(_ numbers: Range<Int>) {
            for number in numbers {
                node.keeper.attach(client(number).name, client(number).owner, ttlHours: nil) { answer in
                    answers.withLock { $0.append(answer) }
                }
            }
        }
        come(0..<100)
        #expect(calls { node.turn() } == 1)
        #expect(
            answers.withLock { $0.count } == 100 && answers.withLock { $0 }.allSatisfy { $0.record == nil })
        let tries = calls {
            for second in 1...300 {
                come(second * 100..<second * 100 + 1)
                node.turn()
            }
        }
        // After 1, 2, 4, 8, 16, 30, 30… seconds.
        #expect((10...15).contains(tries), "\(tries)")
        #expect(answers.withLock { $0.count } == 400)
        isAway(false)
        node.turn(after: 30_000)
        #expect(node.attach(client(0).name, client(0).owner)?.isResumed == false)
        #expect(node.keeper.status.trouble == nil)
    }

    @Test("Nothing is asked for a connection that has ended meanwhile; the session stays whose it is")
    func gone() {
        let node = SessionNode(store)
        let (name, owner) = client(1)
        _ = node.attach(name, owner)
        let later = SessionOwner(loop: 1, connection: 2)
        let answers = Locked<[SessionKeeper.Attachment]>([])
        node.keeper.attach(name, later, ttlHours: nil) { answer in answers.withLock { $0.append(answer) } }
        node.keeper.detach(name, later)
        #expect(calls { node.turn(after: 1) } == 0)
        #expect(answers.withLock { $0.count } == 1 && answers.withLock { $0 }.allSatisfy { $0.record == nil })
        #expect(node.keeper.change(name, owner, .confirm([:])) == .kept)
        #expect(node.told.withLock { $0.taken } == [])
    }
}
