import EventStore
import Locking
import Testing

@testable import PostgresStore

@Suite("A PostgreSQL that goes and comes back is used again, and what it said it keeps is there")
struct PostgresRestartTests {
    @Test("Stopped, killed and started again under load: nothing acknowledged is lost, and no error stays")
    func restarts() throws {
        let server = try PostgresServer()
        let address = try server.database()
        let store = PostgresKeyedStore(address, poolSize: 4)
        try store.open()
        let (isOver, kept, failures) = (Locked(false), Locked<[String]>([]), Locked<Set<String>>([]))
        let controller = Result {
            try onThreads(5) { thread in
                guard thread > 0 else {
                    restart(server, store, failures)
                    isOver.withLock { $0 = true }
                    return
                }
                var number = 0
                while !isOver.withLock({ $0 }) {
                    number += 1
                    let key = "task:\(thread)-\(number)"
                    do throws(StoreError) {
                        try store.put([KeptEntry(key: key, value: Array(key.utf8), expiresAt: 1)])
                        kept.withLock { $0.append(key) }
                    } catch {
                        guard case .unavailable = error else {
                            failures.withLock { _ = $0.insert("\(error)") }
                            continue
                        }
                    }
                }
            }
        }
        try controller.get()
        #expect(failures.withLock { $0 } == [])
        let keys = kept.withLock { $0 }
        #expect(keys.count > 4)
        for key in keys { #expect(try store.get(key, now: 0)?.value == Array(key.utf8), "\(key)") }
        #expect(try store.count(prefix: "task:") >= keys.count)
    }

    /// Each time: away, it is said to be; back, the first call is answered.
    private func restart(
        _ server: PostgresServer, _ store: PostgresKeyedStore, _ failures: Locked<Set<String>>
    ) {
        for round in 0..<4 {
            do {
                if round % 2 == 0 { try server.kill() } else { server.stop() }
                let refusal = Result { try store.ping() }
                if case .failure(let error) = refusal, "\(error)".contains("Connection refused; start it") {
                } else {
                    throw Failure("away: \(refusal)")
                }
                try server.start()
                _ = try store.ping()
            } catch {
                failures.withLock { _ = $0.insert("round \(round): \(error)") }
            }
        }
    }
}
