import LinuxSystem
import Locking

/// Asks other servers over HTTP and HTTPS, on libcurl.
///
/// One thread moves all requests. Connections are kept and bounded; certificates are verified; content is
/// decompressed; at most three redirects are followed, never from HTTPS to HTTP, and the fields of a request
/// go only to the server that it names. The proxies of the environment (`https_proxy`, `no_proxy`) are used,
/// but not for this machine itself.
public final class WebClient: Sendable {
    private let inbox: WebInbox
    private let thread: Locked<LinuxSystem.Thread?>

    /// A client with its thread. At most `maxOpen` requests are under way or wait for a connection; more are
    /// refused with `busy`. Throws where the kernel has no thread or descriptor left.
    public init(maxOpen: Int = 1024) throws(SystemCallError) {
        let inbox = try WebInbox(maxOpen: maxOpen)
        self.inbox = inbox
        thread = Locked(
            try LinuxSystem.Thread(name: "web-client") {
                if let loop = TransferLoop(inbox) {
                    loop.run()
                } else {
                    // Without memory for libcurl nothing can be asked: whoever does is told so.
                    inbox.close()
                    _ = inbox.take()
                }
            })
    }

    deinit {
        inbox.close()
        // The thread never waits for itself: it holds no reference to the client.
        thread.withLock { $0.take() }?.join()
    }

    /// The answer to a request, whatever its status. Throws when there is none; when the task is cancelled
    /// the request is ended.
    public func fetch(_ request: WebRequest) async throws(WebError) -> WebResponse {
        guard let address = WebAddress(request.url) else { throw .badURL }
        guard request.fields.allSatisfy({ Self.isOneLine($0.name) && Self.isOneLine($0.value) }) else {
            throw .badField
        }
        let id = inbox.nextID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                inbox.start(id, request, address, answer)
                // A task that was cancelled before this had nothing to end yet.
                if Task.isCancelled { inbox.cancel(id) }
            }
        } onCancel: {
            inbox.cancel(id)
        }
        return try result.get()
    }

    /// RFC 9110 section 5.5: CR, LF and NUL are dangerous in a field.
    private static func isOneLine(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
