import FIMLCore
import MarketData

/// Asks one provider after another until one answers.
struct Fallback: Sendable {
    /// Of a provider's reason, so many characters are passed on.
    private static let reasonLimit = 200

    /// Asks them.
    let client: any ProviderAsking

    /// What `use` makes of the first answer that it can use and that is not too old. Nil where providers
    /// answered and none of them had anything; where one failed too, nobody knows what it would have said, so
    /// that is an error.
    ///
    /// `lateness` says by how many milliseconds an answer is too old. One that is too old is passed over, for
    /// another provider may have a newer one; where none has, the least late counts, as a closed market's.
    ///
    /// Throws in one line, with the reason of each, when no provider could be used: `no provider has quotes
    /// of BTC: binance: HTTP 500; kraken: no answer in 5 s`.
    func first<Figures, Usable>(
        _ what: String, of subject: String, from endpoints: [Endpoint<Figures>],
        lateness: @Sendable (Usable) -> Int64 = { _ in 0 },
        use: @Sendable (Figures, ProviderName) throws(MarketDataError) -> Usable?
    ) async throws(MarketDataError) -> Usable? {
        var reasons: [String] = []
        var hasFailed = endpoints.isEmpty
        var leastLate: Usable?
        for endpoint in endpoints {
            do throws(MarketDataError) {
                if let usable = try use(try await client.ask(endpoint), endpoint.provider) {
                    guard lateness(usable) > 0 else { return usable }
                    if leastLate.map({ lateness(usable) < lateness($0) }) ?? true { leastLate = usable }
                } else {
                    reasons.append("\(endpoint.provider.rawValue): has none")
                }
            } catch {
                hasFailed = true
                reasons.append(Self.reason(error, of: endpoint.provider))
            }
            // Who asked has gone: the others need not be troubled.
            if Task.isCancelled { break }
        }
        if let leastLate { return leastLate }
        guard hasFailed else { return nil }
        throw Self.failure(what, of: subject, reasons)
    }

    /// That nobody gave `what`, and why.
    static func failure(_ what: String, of subject: String, _ reasons: [String]) -> MarketDataError {
        let why = reasons.isEmpty ? "" : ": " + reasons.joined(separator: "; ")
        return MarketDataError("no provider has \(what) of \(subject)\(why)")
    }

    /// Why a provider gave nothing, with its name, which the client may have said already.
    static func reason(_ error: MarketDataError, of provider: ProviderName) -> String {
        let name = provider.rawValue + ": "
        let reason = line(error.description)
        return reason.hasPrefix(name) ? reason : name + reason
    }

    /// A reason without line breaks, cut to a bearable length.
    static func line(_ reason: String) -> String {
        String(reason.prefix(reasonLimit).map { $0.isNewline ? " " : $0 })
    }
}
