import Broadcast
import Configuration
import EventLoop
import EventStore
import FIMLCore
import Glibc
import LinuxSystem
import Observability
import Synchronization
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
    private let isClosed: Closing

    /// Whether the loops have ended, so that nobody waits for them any more.
    private final class Closing: Sendable {
        let flag = Atomic<Bool>(false)
    }

    /// Publishes into a store and, where `broadcasts`, to loops. Throws where the store cannot be used.
    init(
        _ store: any EventStore, limits: EventJournal.Limits, mailboxes: [Mailbox<LoopMessage>],
        broadcasts: Bool, log: Log
    ) throws {
        self.mailboxes = mailboxes
        self.broadcasts = broadcasts
        let closing = Closing()
        isClosed = closing
        journal = try EventJournal(
            store: store, limits: limits,
            listener: EventJournal.Listener(
                broadcast: { publications in
                    guard broadcasts else { return }
                    for mailbox in mailboxes {
                        Self.waitForRoom(mailbox, closing)
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

    private static func waitForRoom(_ mailbox: Mailbox<LoopMessage>, _ closing: Closing) {
        while mailbox.count >= mailboxLimit, !closing.flag.load(ordering: .relaxed) {
            usleep(1_000)
        }
    }

    /// Lets events through; the loops are to be there by now, or to come.
    func start() throws {
        try journal.start()
    }

    /// Stores what waits and closes the store; the loops have ended.
    func stop() {
        isClosed.flag.store(true, ordering: .relaxed)
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
