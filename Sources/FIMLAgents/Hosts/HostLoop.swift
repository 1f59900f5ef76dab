import FIMLCore
import Glibc
import LinuxSystem

/// The supervisor's thread: takes commands, lets each host do what is due, and waits for what is next.
final class HostLoop {
    /// How long it sleeps at most, whatever is due.
    private static let longestSleep: UInt64 = 60_000

    private let inbox: HostInbox
    private let watch: HostWatch
    private var hosts: [UInt64: HostRun] = [:]
    private var placesTaken = 0

    init(_ inbox: HostInbox, _ watch: HostWatch) {
        self.inbox = inbox
        self.watch = watch
    }

    /// Until the inbox is closed. Then all hosts are ended at once.
    func run() throws(SystemCallError) {
        defer {
            for host in hosts.values { host.kill(at: monotonicMilliseconds()) }
        }
        while let commands = inbox.take() {
            var now = monotonicMilliseconds()
            for command in commands { obey(command, at: now) }
            now = monotonicMilliseconds()
            var next = now + Self.longestSleep
            for host in hosts.values {
                host.tick(at: now, watch)
                host.send(watch)
                next = min(next, host.nextTick)
            }
            // A host that is over has told whoever waited for that.
            hosts = hosts.filter { !$0.value.isOver }
            let sleep = next > now ? next - now : 0
            let events = try watch.wait(milliseconds: Int32(clamping: sleep))
            now = monotonicMilliseconds()
            for event in events { handle(event, at: now) }
        }
    }

    private func obey(_ command: HostInbox.Command, at now: UInt64) {
        switch command {
        case .add(let id, let plan):
            // Its group's name is free: no other process has our number, and no other host this one's.
            let host = HostRun(
                plan, id: id, name: "\(plan.type.rawValue)-\(getpid())-\(id)", place: placesTaken)
            placesTaken += 1
            hosts[id] = host
            // Started before the next command, which may be a task for it.
            host.tick(at: now, watch)
        case .run(let id, let task):
            guard let host = hosts[id] else {
                task.answer.resume(returning: .failure(.stopped))
                return
            }
            host.run(task, at: now)
        case .cancel(let id, let task): hosts[id]?.cancel(task)
        case .shutDown(let id, let waiting):
            guard let host = hosts[id] else {
                waiting?.resume()
                return
            }
            host.shutDown(waiting, at: now)
        }
    }

    private func handle(_ event: HostWatch.Event, at now: UInt64) {
        switch event {
        case .inbox: break
        // A host whose process has ended in this same turn has no connection, and does nothing.
        case .connection(let id, let readiness):
            if readiness != .writable { hosts[id]?.receive(at: now) }
        case .child(let id): hosts[id]?.lookAfterChild(at: now)
        }
    }
}
