import FIMLCore
import Locking
import MarketData
import WebClient

/// Asks exchanges whether they are there, all at once, each at a path of its API that costs it nothing.
///
/// It measures: no second try, no circuit, no redirect is followed.
public final class ExchangeProbe: ExchangeStatusSource {
    /// How long an answer is waited for: FIML's 5 s.
    public static let timeLimit = Duration.seconds(5)

    /// The exchanges that it can ask, and the path at which each provider answers for it.
    static let known: [String: (provider: ProviderName, path: String)] = [
        "binance": (.binance, "/api/v3/ping"),
        "bybit": (.bybit, "/v5/market/time"),
        "coinbase": (.coinbase, "/v2/time"),
        "kraken": (.kraken, "/0/public/Time"),
        "okx": (.okx, "/api/v5/public/time"),
    ]

    /// What was asked last, so that one moment is asked for once.
    private struct Round {
        var exchanges: [String]
        var moment: Timestamp
        var statuses: Task<[String: [ExchangeStatus]], Never>
    }

    private let client: WebClient
    private let baseURLs: [ProviderName: String]
    private let intervalSeconds: Int64
    private let timeLimit: Duration
    private let willAsk: @Sendable (Timestamp) -> Void
    private let latest = Locked<Round?>(nil)

    /// Asks about every `intervalSeconds`. `baseURLs` say where a provider's API is, if not at its usual
    /// place. The client should have nothing else to do: a probe that waits behind other requests to the same
    /// host would take our own load for an outage.
    public convenience init(
        client: WebClient, baseURLs: [ProviderName: String] = [:], intervalSeconds: Int64 = 60,
        timeLimit: Duration = ExchangeProbe.timeLimit
    ) {
        self.init(
            client: client, baseURLs: baseURLs, intervalSeconds: intervalSeconds, timeLimit: timeLimit,
            willAsk: { _ in })
    }

    /// `willAsk` is told each moment before the exchanges are asked for it.
    init(
        client: WebClient, baseURLs: [ProviderName: String], intervalSeconds: Int64, timeLimit: Duration,
        willAsk: @escaping @Sendable (Timestamp) -> Void
    ) {
        self.client = client
        self.baseURLs = baseURLs
        self.intervalSeconds = max(1, intervalSeconds)
        self.timeLimit = timeLimit
        self.willAsk = willAsk
    }

    /// Of each exchange its last two statuses, the newest as of now: asked for a later moment than before,
    /// it asks the exchanges. One that it does not know is left out, and so is a status for which the
    /// exchange could not be asked.
    public func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        let exchanges = Set(exchanges).sorted()
        let statuses = latest.withLock { latest in
            if let latest, latest.moment == moment, latest.exchanges == exchanges { return latest.statuses }
            let earlier = latest?.statuses
            let statuses = Task { await self.ask(exchanges, at: moment, after: await earlier?.value ?? [:]) }
            latest = Round(exchanges: exchanges, moment: moment, statuses: statuses)
            return statuses
        }
        return await statuses.value.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Asks all, and puts each status behind those of the exchange before the moment.
    private func ask(
        _ exchanges: [String], at moment: Timestamp, after earlier: [String: [ExchangeStatus]]
    ) async -> [String: [ExchangeStatus]] {
        willAsk(moment)
        // A replayed market may begin anew: what was later then is not known yet.
        let known = earlier.mapValues { $0.filter { $0.observedAt < moment } }
        return await withTaskGroup(of: (String, ExchangeStatus?).self) { group in
            for exchange in exchanges {
                guard let (provider, path) = Self.known[exchange] else { continue }
                let url = ProviderClient.baseURL(of: provider, among: baseURLs) + path
                group.addTask { (exchange, await self.ask(exchange, url, at: moment)) }
            }
            var statuses: [String: [ExchangeStatus]] = [:]
            for await (exchange, status) in group {
                let lastTwo = ((known[exchange] ?? []) + [status].compactMap(\.self)).suffix(2)
                if !lastTwo.isEmpty { statuses[exchange] = Array(lastTwo) }
            }
            return statuses
        }
    }

    /// A status; nil where the exchange was not asked, which says nothing about it.
    private func ask(_ exchange: String, _ url: String, at moment: Timestamp) async -> ExchangeStatus? {
        let request = WebRequest(
            url, fields: [("User-Agent", ProviderClient.userAgent)], timeLimit: timeLimit, maxBytes: 1 << 20,
            followsRedirects: false)
        let begin = ContinuousClock.now
        var status = ExchangeStatus(
            exchange: exchange, observedAt: moment, intervalSeconds: intervalSeconds, statusCode: nil,
            responseMilliseconds: 0)
        do {
            let response = try await client.fetch(request)
            status.statusCode = response.status
            status.responseMilliseconds = response.elapsed / .milliseconds(1)
        } catch .busy, .cancelled {
            return nil
        } catch {
            status.error = error.description
            status.responseMilliseconds = begin.duration(to: .now) / .milliseconds(1)
        }
        return status
    }
}
