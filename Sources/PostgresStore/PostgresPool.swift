import Dispatch
import LinuxSystem
import Locking

/// At most so many connections, each made when it is first needed and lent to one caller at a time.
final class PostgresPool: Sendable {
    private struct State {
        /// Not in use now; the one used last is at the end.
        var idle: [PostgresConnection] = []
        var isOpen = true
    }

    private let address: PostgresAddress
    private let size: Int
    private let patience: DispatchTimeInterval
    /// One a connection that may be in use.
    private let permits = DispatchSemaphore(value: 0)
    private let state = Locked(State())

    /// A pool without a connection yet. `waiting` is how long a caller waits for one.
    init(_ address: PostgresAddress, size: Int, waiting: Duration) {
        precondition(size > 0)
        self.address = address
        self.size = size
        patience = .milliseconds(Int(clamping: waiting.wholeMilliseconds))
        for _ in 0..<size { permits.signal() }
    }

    /// Runs `body` with a connection. Where one that was idle turns out to have ended, as after a restart of
    /// the server, `body` runs a second time with a new one: it must not mind having run before.
    func perform<Result>(
        _ body: (PostgresConnection) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        guard permits.wait(timeout: .now() + patience) == .success else { throw .allInUse(size) }
        defer { permits.signal() }
        guard state.withLock({ $0.isOpen }) else { throw .closed }
        if let connection = state.withLock({ $0.idle.popLast() }) {
            do throws(PostgresError) {
                return try lend(connection, to: body)
            } catch {
                guard error.foundConnectionEnded else { throw error }
                // What ended one has most likely ended all.
                forgetIdle()
            }
        }
        return try lend(try PostgresConnection(address), to: body)
    }

    /// Closes what is idle; what is in use is closed when it comes back, and nothing is lent any more.
    func close() {
        state.withLock { $0.isOpen = false }
        forgetIdle()
    }

    /// Lends again.
    func reopen() {
        state.withLock { $0.isOpen = true }
    }

    private func lend<Result>(
        _ connection: PostgresConnection, to body: (PostgresConnection) throws(PostgresError) -> Result
    ) throws(PostgresError) -> Result {
        do throws(PostgresError) {
            let result = try body(connection)
            giveBack(connection)
            return result
        } catch {
            if !error.endsConnection { giveBack(connection) }
            throw error
        }
    }

    private func giveBack(_ connection: PostgresConnection) {
        guard connection.isOutsideTransaction else { return }
        state.withLock { if $0.isOpen { $0.idle.append(connection) } }
    }

    /// They end outside of the lock, as that talks to the server.
    private func forgetIdle() {
        let idle = state.withLock { state in
            let idle = state.idle
            state.idle = []
            return idle
        }
        _ = consume idle
    }
}
