import FIMLCore
import HTTP
import Locking
import MarketData
import WebClient

/// The exchanges of a replayed market: a local server answers for them by a script, and an `ExchangeProbe`
/// asks it over real HTTP.
///
/// Before its first entry, and without any, an exchange answers 200 at once.
public final class ScriptedExchanges: ExchangeStatusSource {
    private let server: ScriptedServer
    private let probe: ExchangeProbe

    /// Answers as the script says. Throws where a status is not one from 200 to 599, or the server cannot be
    /// started.
    public init(
        script: [ExchangeScriptEntry], client: WebClient, intervalSeconds: Int64 = 60, timeLimit: Duration = ExchangeProbe.timeLimit
    ) throws(MarketDataError) {
        if let entry = script.first(where: { !(200...599).contains($0.statusCode ?? 200) }) {
            throw MarketDataError("no exchange answers with the status \(entry.statusCode ?? 0)")
        }
        let entries = Dictionary(grouping: script, by: \.exchange).mapValues { entries in
            entries.sorted { $0.time < $1.time }
        }
        let moment = Locked(Timestamp(milliseconds: 0))
        let server: ScriptedServer
        do {
            server = try ScriptedServer { request in
                let exchange = ExchangeProbe.known.first { $0.value.path == request.path }?.key ?? ""
                let now = moment.withLock { $0 }
                return Self.reply(entries[exchange]?.last { $0.time <= now })
            }
        } catch {
            throw MarketDataError("the server that answers for exchanges cannot start: \(error)")
        }
        self.server = server
        let baseURLs = Dictionary(
            ExchangeProbe.known.values.map { ($0.provider, server.baseURL) }, uniquingKeysWith: { $1 })
        probe = ExchangeProbe(
            client: client, baseURLs: baseURLs, intervalSeconds: intervalSeconds,
            timeLimit: timeLimit, willAsk: { now in moment.withLock { $0 = now } })
    }

    /// Of each exchange its last two statuses, as the script has them at that moment.
    public func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        await probe.exchangeStatuses(of: exchanges, at: moment)
    }

    private static func reply(_ entry: ExchangeScriptEntry?) -> ScriptedReply {
        guard let entry else { return ScriptedReply(200, "{}") }
        var reply = ScriptedReply(entry.statusCode ?? 200, "{}")
        reply.delay = .milliseconds(entry.delayMilliseconds)
        if entry.statusCode == nil { reply.fault = .cutOff(afterBytes: 0) }
        return reply
    }
}
