import Broadcast
import Configuration
import Dispatch
import EventLoop
import EventStore
import FIMLCore
import LinuxSystem
import Observability
import Synchronization
import Transport

/// The one way into the stream: the journal, and the loops that it tells.
public final class Publisher: Sendable {
    /// Publications that one loop may have yet to broadcast. At this bound the journal waits, and who
    /// publishes hears of it.
    static let backlogLimit = 4_096

    /// Publications that a loop has yet to broadcast.
    private final class Backlog: Sendable {
        let count = Atomic<Int>(0)
    }

    /// Where events are stored, read back, and known to fire.
    let journal: EventJournal
    private let mailboxes: [Mailbox<LoopMessage>]
    private let broadcasts: Bool
    private let backlogs: [Backlog]
    /// The position from which on loops are told everything.
    let beginning: StreamPosition
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
        let backlogs = mailboxes.map { _ in Backlog() }
        self.backlogs = backlogs
        journal = try EventJournal(
            store: store, limits: limits,
            listener: EventJournal.Listener(
                broadcast: { publications in
                    guard broadcasts else { return Self.tellPosition(of: publications, mailboxes) }
                    for (mailbox, backlog) in zip(mailboxes, backlogs) {
                        Self.waitForRoom(backlog, closed)
                        backlog.count.add(publications.count, ordering: .relaxed)
                        mailbox.post(contentsOf: publications.map { .publication($0) })
                    }
                },
                lost: { from, floor in
                    log.error(
                        "events are not to be had any more; whoever comes from before \(floor) is told so",
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
        beginning = journal.range.last
    }

    /// Nothing is broadcast, but replays must know where the stream ends.
    private static func tellPosition(of publications: [Publication], _ mailboxes: [Mailbox<LoopMessage>]) {
        guard let position = publications.last?.position else { return }
        for mailbox in mailboxes {
            mailbox.post(.task { ($0.service as? LoopService)?.reached(position) })
        }
    }

    /// A loop has broadcast so many.
    func broadcastIsDone(_ count: Int, by loop: Int) {
        backlogs[loop].count.subtract(count, ordering: .relaxed)
    }

    private static func waitForRoom(_ backlog: Backlog, _ closed: DispatchSemaphore) {
        while backlog.count.load(ordering: .relaxed) >= backlogLimit {
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
