import Glibc
import LinuxSystem

/// The one place where the client waits: poll(2), with all that ends the program in view.
struct Waiter {
    /// Readable when a signal came; -1 is none.
    let signals: Int32
    /// Where events are printed, so that a closed pipe is noticed without an event; -1 is none.
    let output: Int32
    /// When the program ends, by `monotonicMilliseconds()`.
    let deadline: UInt64

    /// For the last words of a connection, when the program ends already.
    static let undisturbed = Waiter(signals: -1, output: -1, deadline: .max)

    /// Waits until a descriptor is ready for `events` (POLLIN, POLLOUT), or has failed.
    ///
    /// - Parameters:
    ///   - raw: the descriptor; -1 to let only time pass.
    ///   - until: by `monotonicMilliseconds()`.
    /// - Returns: false when that moment came first.
    func wait(for raw: Int32, _ events: Int32, until: UInt64) throws(ConnectionEnd) -> Bool {
        while true {
            let now = monotonicMilliseconds()
            let end = min(until, deadline)
            var descriptors = [
                pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output, events: 0, revents: 0),
                pollfd(fd: raw, events: Int16(events), revents: 0),
            ]
            let count = poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: end - min(now, end)))
            if count > 0 {
                if descriptors[0].revents != 0 { throw .stopped(.interrupted) }
                // Without interest in anything only failures are reported (poll(2)).
                if descriptors[1].revents != 0 { throw .stopped(.outputClosed) }
                if descriptors[2].revents != 0 { return true }
            }
            let later = monotonicMilliseconds()
            if later >= deadline { throw .stopped(.timeIsUp) }
            if later >= until { return false }
        }
    }

    /// Throws where the program is to end, and does not wait.
    func look() throws(ConnectionEnd) {
        _ = try wait(for: -1, 0, until: 0)
    }
}
