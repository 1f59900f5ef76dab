import Configuration
import EventLoop
import EventStore
import FIMLCore
import Observability
import Transport

extension SessionKeeper {
    /// The sessions of this gateway's clients, as configured; loops are told what concerns their connections.
    convenience init(
        _ settings: Settings, store: any KeyedStore, isShared: Bool, cluster: ClusterControl?,
        mailboxes: [Mailbox<LoopMessage>], log: Log
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
                attached: { digest, generation in
                    cluster?.tell(
                        "session", ["digest": .string(digest.text), "generation": .integer(generation)])
                },
                trouble: { trouble in
                    if let trouble { log.error(trouble) } else { log.info("sessions are kept again") }
                }))
        cluster?.hear("session") { [weak self] content, _ in
            guard let digest = content["digest"]?.text, let generation = content["generation"]?.int64 else {
                return
            }
            self?.takenOver(SessionDigest(text: digest), generation: generation)
        }
    }
}
