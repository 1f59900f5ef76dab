import Analysis
import Configuration
import EventStore
import FIMLAgents
import FIMLCore
import LinuxSystem
import Locking
import Observability
import RedisStore
import RemoteWorkers

/// What gateways on one Redis do with their workers for each other: this one's tasks of types that it has no
/// worker of go to others, and its workers take tasks of others while they have room.
final class WorkerSharing: Sendable {
    /// The way to the workers of other gateways.
    let exchange: TaskExchange

    private let node: String
    private let log: Log
    private let tasks: RedisTasks
    private let senders: StoreThreads
    private let takers = Locked<[TaskTaker]>([])

    /// nil without Redis: then there are no others, and no thread.
    init?(_ cluster: ClusterControl?, _ log: Log) throws(SystemCallError) {
        guard let cluster else { return nil }
        node = cluster.nodeID
        self.log = log
        let tasks = RedisTasks(cluster.client)
        self.tasks = tasks
        exchange = try TaskExchange(tasks, node: node) { cluster.offeredByOthers() }
        senders = try StoreThreads(name: "answer-sender", count: 2, limit: 4_096)
    }

    /// Lets workers of these types take tasks of others: of each type as many at once as it has workers.
    func start(
        _ types: [WorkerType], _ workers: Settings.Workers, _ orchestrator: AgentOrchestrator
    ) throws(SystemCallError) {
        for type in types {
            let place = TaskTaker.Place {
                orchestrator.takesTasks(of: type)
            } answer: { figures in
                do throws(WorkerFailure) {
                    return .success(try await orchestrator.answer(to: figures, by: type))
                } catch {
                    return .failure(error)
                }
            }
            let log = log
            let taker = TaskTaker(
                type, limit: AgentOrchestrator.workerCount(of: type, workers), tasks: tasks, node: node,
                place: place, senders: senders
            ) { trouble in
                if let trouble {
                    log.warning("\(type.rawValue) tasks of other gateways: \(trouble)")
                } else {
                    log.info("\(type.rawValue) tasks of other gateways are taken again")
                }
            }
            try taker.start()
            takers.withLock { $0.append(taker) }
        }
    }

    /// Takes no more tasks of others.
    func drain() {
        for taker in takers.withLock({ $0 }) { taker.stop() }
    }

    /// Ends all threads.
    func stop() {
        drain()
        exchange.stop()
        senders.stop()
    }
}

extension ClusterControl {
    /// The types that other living gateways have workers of, as they say; nil while this one is cut off.
    func offeredByOthers() -> Set<WorkerType>? {
        let view = view()
        guard view.trouble == nil else { return nil }
        let lists = view.nodes.filter { $0.id != nodeID }.map { $0.record["workers"]?.elements ?? [] }
        return Set(lists.joined().compactMap { $0.text.flatMap(WorkerType.init(rawValue:)) })
    }
}
