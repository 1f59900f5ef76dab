import CCurl

/// Moves all transfers of a client, on the client's one thread: a multi handle of libcurl, which nobody else
/// touches (libcurl-thread(3)).
final class TransferLoop {
    /// Connections at once, and to one host; more requests wait for them.
    private static let maxConnections = 64
    private static let maxHostConnections = 8
    /// Connections that are kept for later requests.
    private static let maxIdleConnections = 32

    private let inbox: WebInbox
    private let multi: UnsafeMutableRawPointer
    private var transfers: [UnsafeMutableRawPointer: Transfer] = [:]

    /// nil without memory.
    init?(_ inbox: WebInbox) {
        guard curl_start() == CURLE_OK, let multi = curl_multi_init() else { return nil }
        self.inbox = inbox
        self.multi = multi
        _ = curl_set_multi_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, Self.maxConnections)
        _ = curl_set_multi_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, Self.maxHostConnections)
        _ = curl_set_multi_long(multi, CURLMOPT_MAXCONNECTS, Self.maxIdleConnections)
    }

    deinit {
        curl_multi_cleanup(multi)
    }

    /// Until the inbox is closed.
    func run() {
        while let commands = inbox.take() {
            for command in commands { obey(command) }
            var running: Int32 = 0
            _ = curl_multi_perform(multi, &running)
            takeFinished()
            expire()
            wait()
        }
        for transfer in transfers.values { end(transfer) { $0.fail(.cancelled) } }
    }

    private func obey(_ command: WebInbox.Command) {
        switch command {
        case .start(let id, let request, let address, let answer):
            guard let transfer = Transfer(id, request, to: address, answer),
                curl_multi_add_handle(multi, transfer.handle) == CURLM_OK
            else {
                inbox.finished()
                answer.resume(returning: .failure(.unreachable("out of memory")))
                return
            }
            transfers[transfer.handle] = transfer
        case .cancel(let id):
            // Cancelling is rare, and there are few: not worth a second table.
            guard let transfer = transfers.values.first(where: { $0.id == id }) else { return }
            end(transfer) { $0.fail(.cancelled) }
        }
    }

    private func takeFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            // Read at once: the message is gone when its handle is removed (curl_multi_info_read(3)).
            let (kind, handle, code) = (
                message.pointee.msg, message.pointee.easy_handle, message.pointee.data.result
            )
            guard kind == CURLMSG_DONE, let handle, let transfer = transfers[handle] else { continue }
            if code == CURLE_OK, transfer.followsRedirect() {
                // A handle is used again by taking it out and putting it in (curl_multi_add_handle(3)).
                _ = curl_multi_remove_handle(multi, handle)
                if curl_multi_add_handle(multi, handle) == CURLM_OK { continue }
            }
            end(transfer) { $0.finish(code) }
        }
    }

    /// One time limit for the whole of a request, whatever libcurl does with it at the moment.
    private func expire() {
        let now = ContinuousClock.now
        for transfer in transfers.values where transfer.deadline <= now {
            end(transfer) { $0.fail(.timedOut) }
        }
    }

    private func wait() {
        let next = transfers.values.map(\.deadline).min()
        // libcurl itself waits less where it has to.
        let limit = next.map { ContinuousClock.now.duration(to: $0).milliseconds } ?? 60_000
        var wake = curl_waitfd(fd: inbox.descriptor, events: Int16(CURL_WAIT_POLLIN), revents: 0)
        _ = curl_multi_poll(multi, &wake, 1, Int32(clamping: limit), nil)
    }

    private func end(_ transfer: Transfer, _ tell: (Transfer) -> Void) {
        _ = curl_multi_remove_handle(multi, transfer.handle)
        transfers[transfer.handle] = nil
        inbox.finished()
        tell(transfer)
    }
}
