import EventLoop
import FIMLCore
import Transport

// Analyses and health over the socket.
extension LoopService {
    /// Analyses that one connection has under way: a dashboard's page of four charts, and no flood.
    private static let maxAnalysesPerConnection = 4

    /// Begins an analysis; its steps and its end are told as they come. It goes on also where the connection
    /// ends first, since its findings are kept for others.
    func analyze(
        _ id: RequestID?, _ request: AnalysisRequest, _ session: ClientSession, _ connection: Connection
    ) {
        guard session.analyses.count < Self.maxAnalysesPerConnection else {
            return refuse(
                id, .rateLimited,
                "a connection has at most \(Self.maxAnalysesPerConnection) analyses under way", connection,
                retryAfterMilliseconds: 1000)
        }
        let token = connection.token
        let mailbox = transport.mailbox
        do throws(AnalysisProblem) {
            _ = try analysisControl().begin(request) { news in
                mailbox.post(.task { loop in LoopService.tell(news, id, token, loop) })
            }
            session.analyses.append(id)
        } catch {
            refuse(id, error, connection)
        }
    }

    private static func tell(
        _ news: AnalysisNews, _ id: RequestID?, _ token: SlotToken, _ loop: TransportLoop
    ) {
        guard let connection = loop[token], let service = loop.service as? LoopService,
            let session = connection.session as? ClientSession
        else { return }
        switch news {
        case .update(let update):
            service.send("task_update", ServerMessage.taskUpdate(id: id, update), to: connection)
        case .completed(let taskID, let result):
            session.ended(id)
            service.send(
                "analysis", ServerMessage.analysis(id: id, taskID: taskID, result: result), to: connection)
        case .refused(let problem):
            session.ended(id)
            service.refuse(id, problem, connection)
        }
    }

    /// Says of each analysis that it will not be answered any more.
    func abandonAnalyses(_ session: ClientSession, _ connection: Connection) {
        for id in session.analyses {
            refuse(id, .unavailable, "the gateway is shutting down", connection, retryAfterMilliseconds: 1000)
        }
        session.analyses = []
    }

    private func refuse(_ id: RequestID?, _ problem: AnalysisProblem, _ connection: Connection) {
        refuse(
            id, problem.code, problem.detail, connection,
            retryAfterMilliseconds: problem.retryAfterSeconds.map { $0 * 1000 })
    }

    /// Answers how a part of the system is, as its path below `/health` does.
    func tellHealth(_ id: RequestID?, _ scope: HealthScope, _ connection: Connection) {
        let summary: [UInt8]? =
            switch scope {
            case .watchdogs: state.watchdogHealth.withLock { $0 }?.json.json
            case .workers: state.workerHealth.withLock { $0 }?.summary
            case .providers: state.providerHealth.withLock { $0 }.json
            }
        guard let summary else {
            return refuse(
                id, .unavailable, "the \(scope.rawValue) are starting; ask again in a second", connection,
                retryAfterMilliseconds: 1000)
        }
        send("health", ServerMessage.health(id: id, scope: scope, summary: summary), to: connection)
    }
}
