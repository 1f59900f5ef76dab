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
        var moment: Timestamp
        var statuses: Task<[[ExchangeStatus]], Never>
    }

    private let client: WebClient
    /// Ordered by exchange.
    private let addresses: [(exchange: String, url: String)]
    private let intervalSeconds: Int64
    private let timeLimit: Duration
    private let willAsk: @Sendable (Timestamp) -> Void
    private let latest = Locked<Round?>(nil)

    /// Asks these exchanges, about every `intervalSeconds`. `baseURLs` say where a provider's API is, if not
    /// at its usual place. Throws where an exchange is not known.
    public convenience init(
        _ exchanges: [String], client: WebClient, baseURLs: [ProviderName: String] = [:],
        intervalSeconds: Int64 = 60, timeLimit: Duration = ExchangeProbe.timeLimit
    ) throws(MarketDataError) {
        try self.init(
            exchanges, client: client, baseURLs: baseURLs, intervalSeconds: intervalSeconds,
            timeLimit: timeLimit, willAsk: { _ in })
    }

    /// `willAsk` is told each moment before the exchanges are asked for it.
    init(
        _ exchanges: [String], client: WebClient, baseURLs: [ProviderName: String], intervalSeconds: Int64,
        timeLimit: Duration, willAsk: @escaping @Sendable (Timestamp) -> Void
    ) throws(MarketDataError) {
        var addresses: [(exchange: String, url: String)] = []
        for exchange in Set(exchanges).sorted() {
            guard let (provider, path) = Self.known[exchange] else {
                let names = Self.known.keys.sorted().joined(separator: ", ")
                throw MarketDataError("cannot ask the exchange \"\(exchange)\"; known are \(names)")
            }
            let base = ProviderClient.baseURL(of: provider, among: baseURLs)
            addresses.append((exchange, base + path))
        }
        self.client = client
        self.addresses = addresses
        self.intervalSeconds = max(1, intervalSeconds)
        self.timeLimit = timeLimit
        self.willAsk = willAsk
    }

    /// Of each exchange its last two statuses, the newest as of now: asked for a later moment than before,
    /// it asks the exchanges.
    public func exchangeStatuses(at moment: Timestamp) async -> [[ExchangeStatus]] {
        let statuses = latest.withLock { latest in
            if let latest, latest.moment == moment { return latest.statuses }
            let earlier = latest?.statuses
            let statuses = Task { await self.ask(at: moment, after: await earlier?.value ?? []) }
            latest = Round(moment: moment, statuses: statuses)
            return statuses
        }
        return await statuses.value
    }

    /// Asks all, and puts each status behind the exchange's last before the moment.
    private func ask(at moment: Timestamp, after earlier: [[ExchangeStatus]]) async -> [[ExchangeStatus]] {
        willAsk(moment)
        return await withTaskGroup(of: (Int, ExchangeStatus).self) { group in
            for (index, address) in addresses.enumerated() {
                group.addTask { (index, await self.ask(address.exchange, address.url, at: moment)) }
            }
            var statuses = addresses.indices.map { index in
                // A replayed market may begin anew: what was later then is not known yet.
                let last = index < earlier.count ? earlier[index].last : nil
                return [last].compactMap(\.self).filter { $0.observedAt < moment }
            }
            for await (index, status) in group { statuses[index].append(status) }
            return statuses
        }
    }

    private func ask(_ exchange: String, _ url: String, at moment: Timestamp) async -> ExchangeStatus {
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
        } catch {
            status.error = error.description
            status.responseMilliseconds = begin.duration(to: .now) / .milliseconds(1)
        }
        return status
    }
}
