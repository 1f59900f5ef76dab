import Configuration
import EventLoop
import EventStore
import FIMLCore
import Observability
import Transport

extension SessionKeeper {
    /// The sessions of this gateway's clients, as configured; loops are told what concerns their connections.
    convenience init(
        _ settings: Settings, store: any KeyedStore, isShared: Bool, mailboxes: [Mailbox<LoopMessage>],
        log: Log
    ) {
        var limits = Limits()
        limits.defaultTTLSeconds = settings.sessions.defaultTTL.components.seconds
        limits.maxTTLSeconds = settings.sessions.maxTTL.components.seconds
        self.init(
            store: store, isShared: isShared, limits: limits,
            listener: Listener(
                taken: { name, owner in
                    mailboxes[owner.loop].post(
                        .task { loop in
                            (loop.service as? LoopService)?.sessionTaken(name, SlotToken(owner.connection))
                        })
                },
                trouble: { trouble in
                    if let trouble { log.error(trouble) } else { log.info("sessions are kept again") }
                }))
    }
}
