import Broadcast
import LinuxSystem

// The hot path. For each connection and round: one look at its link, one write. Nothing is allocated per
// connection or frame, nothing is locked, and no object but the shared bytes is touched where the connection
// keeps up.
extension TransportLoop {
    /// What is sealed can no longer be shed, so more than this goes through the queue, and is written this
    /// turn too.
    private static let sealedAtOnce = 1 << 16

    /// Broadcasts what waits, in rounds.
    func broadcast() {
        var start = 0
        for _ in 0..<Self.roundsPerTurn where start < publications.count {
            let end = min(start + Hub.roundCapacity, publications.count)
            broadcast(publications[start..<end])
            start = end
        }
        publications.removeFirst(start)
    }

    private func broadcast(_ publications: ArraySlice<Publication>) {
        let began = monotonicNanoseconds()
        hub.match(publications)
        var round = Round(publications)
        var frames = 0
        var bytesSent = 0
        for index in hub.touched.indices {
            let slot = hub.touched[index]
            let wanted = hub.wanted(by: slot)
            let link = links[slot]
            links[slot].eventsSent += UInt64(wanted.nonzeroBitCount)
            switch link.path {
            case .plain:
                let bytes = round.bytes(wanted, link.encoding, deflater)
                let sent = bytes.withUnsafeBytes { sendNow(link.descriptor, $0) }
                let failed = sent < 0 && !isWouldBlock()
                bytesSent += max(0, sent)
                if sent != bytes.count { didNotTakeAll(slot, &round, wanted, failed ? nil : max(0, sent)) }
            case .sealed:
                let bytes = round.bytes(wanted, link.encoding, deflater)
                if bytes.count <= Self.sealedAtOnce {
                    seal(bytes, slot)
                } else {
                    didNotTakeAll(slot, &round, wanted, 0)
                }
            case .queued:
                didNotTakeAll(slot, &round, wanted, 0)
            case .none:
                continue
            }
            frames += wanted.nonzeroBitCount
        }
        hub.endRound()
        statistics.bytesSent.count(bytesSent)
        statistics.eventFrames.count(frames)
        service?.broadcast(publications, frames: frames, nanoseconds: monotonicNanoseconds() - began)
    }

    /// Queues what a socket did not take: the rest of a frame that was begun must follow, the frames after it
    /// may be shed. `sent` is nil where the connection is lost.
    private func didNotTakeAll(_ slot: UInt32, _ round: inout Round, _ wanted: UInt64, _ sent: Int?) {
        guard let connection = connections[slot: slot] else { return }
        guard let sent else { return drop(connection) }
        let encoding = links[slot].encoding
        var skip = sent
        round.forEach(in: wanted) { publication in
            let frame = publication.frame(encoding, deflater)
            if skip >= frame.count {
                skip -= frame.count
            } else if skip > 0 {
                enqueue(frame, writtenAlready: skip, connection)
                skip = 0
            } else {
                guard connection.isOpen else { return }
                enqueue(publication, frame, connection)
            }
        }
    }

    private func seal(_ bytes: [UInt8], _ slot: UInt32) {
        guard let connection = connections[slot: slot] else { return }
        let taken = bytes.withUnsafeBytes { write($0, connection) }
        if taken == nil { return drop(connection) }
        if connection.hasUnsent {
            setPath(connection)
            setInterest(connection)
            schedule(connection)
        }
    }
}
