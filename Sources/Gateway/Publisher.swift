import Broadcast
import Configuration
import Dispatch
import EventLoop
import EventStore
import FIMLCore
import LinuxSystem
import Observability
import Transport

/// The one way into the stream: the journal, and the loops that it tells.
public final class Publisher: Sendable {
    /// Publications that may wait for one loop. At this bound the journal waits, and who publishes hears of
    /// it.
    static let mailboxLimit = 16_384

    /// Where events are stored, read back, and known to fire.
    let journal: EventJournal
    private let mailboxes: [Mailbox<LoopMessage>]
    private let broadcasts: Bool
    /// Signalled when the loops have ended, so that nobody waits for them any more.
    private let closed = DispatchSemaphore(value: 0)

    /// Publishes into a store and, where `broadcasts`, to loops. Throws where the store cannot be used.
    init(
        _ store: any EventStore, limits: EventJournal.Limits, mailboxes: [Mailbox<LoopMessage>],
        broadcasts: Bool, log: Log
    ) throws {
        self.mailboxes = mailboxes
        self.broadcasts = broadcasts
        let closed = closed
        journal = try EventJournal(
            store: store, limits: limits,
            listener: EventJournal.Listener(
                broadcast: { publications in
                    guard broadcasts else { return }
                    for mailbox in mailboxes {
                        Self.waitForRoom(mailbox, closed)
                        mailbox.post(contentsOf: publications.map { .publication($0) })
                    }
                },
                lost: { from, floor in
                    log.error(
                        "the event store has lost its events; who comes from before \(floor) is told so",
                        ["last_position": .text("\(from)")])
                    for mailbox in mailboxes {
                        mailbox.post(.task { ($0.service as? LoopService)?.streamBroke(at: floor) })
                    }
                },
                notice: { log.warning($0) },
                trouble: { trouble in
                    if let trouble {
                        log.error("the event store is in trouble: \(trouble)")
                    } else {
                        log.info("the event store is well again")
                    }
                }))
    }

    private static func waitForRoom(_ mailbox: Mailbox<LoopMessage>, _ closed: DispatchSemaphore) {
        while mailbox.count >= mailboxLimit {
            guard closed.wait(timeout: .now() + .milliseconds(1)) == .timedOut else {
                closed.signal()
                return
            }
        }
    }

    /// Lets events through; the loops are to be there by now, or to come.
    func start() throws {
        try journal.start()
    }

    /// Stores what waits and closes the store; the loops have ended.
    func stop() {
        closed.signal()
        journal.stop()
    }

    /// Sends a message to every client of the event stream, whatever it has subscribed to.
    func tellEverybody(_ type: String, _ message: [UInt8]) {
        guard broadcasts else { return }
        for mailbox in mailboxes {
            mailbox.post(.task { loop in (loop.service as? LoopService)?.tellEverybody(type, message) })
        }
    }

    /// The position of the newest event, and the earliest that can be resumed from.
    var range: (earliest: StreamPosition, last: StreamPosition) { journal.range }
}

extension EventJournal.Limits {
    /// As configured.
    init(_ settings: Settings) {
        self.init()
        memoryEvents = settings.watchdogs.maxEventsInMemory
        keptBeyond = 1_000
        kept = settings.eventStore.kept
        let hours = settings.eventStore.keptFor
        keptMilliseconds = hours > .zero ? Int64(hours.milliseconds) : nil
        guard settings.redis.host == nil, !settings.watchdogs.persistsState else { return }
        // Memory is all there is then.
        kept = settings.watchdogs.maxEventsInMemory
        keptBeyond = 0
    }
}
