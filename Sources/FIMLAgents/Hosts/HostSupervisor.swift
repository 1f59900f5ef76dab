import FIMLCore
import LinuxSystem
import Locking

/// Looks after all worker hosts of a process, on one thread: starts them, gives them tasks and takes their
/// answers, and starts again those that end.
///
/// It lives as long as its hosts: the kernel ends a host when the thread that started it has ended
/// (`endWithParent`).
public final class HostSupervisor: Sendable {
    let inbox: HostInbox
    private let thread: Locked<LinuxSystem.Thread?>

    /// A supervisor with its thread and no host. `group` is where control groups with limits can be made, nil
    /// where hosts are limited one by one. Throws where the kernel has no thread or descriptor left.
    public init(in group: ControlGroup? = .delegated()) throws(SystemCallError) {
        hearOfChildren()
        let inbox = try HostInbox()
        self.inbox = inbox
        thread = Locked(
            try LinuxSystem.Thread(name: "worker-hosts") {
                do throws(SystemCallError) {
                    try HostLoop(inbox, HostWatch(inbox, in: group)).run()
                } catch {
                    // Without epoll nobody can be looked after: whoever asks is told so.
                    inbox.close()
                }
                _ = inbox.take()
            })
    }

    deinit {
        inbox.close()
        // The thread holds no reference to the supervisor. Should what it calls hold the last, the join is
        // refused (pthread_join(3): EDEADLK), and it ends by itself.
        thread.withLock { $0.take() }?.join()
    }
}
