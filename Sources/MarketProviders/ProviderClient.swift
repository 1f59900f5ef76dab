import FIMLCore
import Locking
import MarketData
import WebClient

/// Asks providers over the network, within their limits and ours.
///
/// A request waits for its turn by the provider's rate; what fails for a reason that may pass is tried again;
/// a provider that asks for rest gets it; one that fails again and again is left alone for a while; what has
/// not changed is not sent again. Nothing that it says of a failure holds a query or a key.
public final class ProviderClient: ProviderAsking {
    /// Who we are, as providers see it.
    public static let userAgent = "fiml-gateway/0.1"
    /// Who we are to Yahoo, which answers 429 to whatever is no browser, however seldom it asks.
    static let browserUserAgent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    /// How long a provider is left alone that says 429 and not for how long: rates are by the minute.
    static let restMilliseconds: Int64 = 60_000

    private let client: WebClient
    private let baseURLs: [ProviderName: String]
    private let limits: ProviderLimits
    private let time: ProviderTime
    private let states: Locked<[ProviderName: ProviderState]>
    private let cache = Locked(AnswerCache())

    /// Asks by `client`. `baseURLs` say where a provider's API is, and `requestsPerMinute` how often it may
    /// be asked, where that is not as in `Provider.of`.
    public init(
        _ client: WebClient, baseURLs: [ProviderName: String] = [:],
        requestsPerMinute: [ProviderName: Int] = [:], limits: ProviderLimits = ProviderLimits(),
        time: ProviderTime = .real()
    ) {
        self.client = client
        self.baseURLs = baseURLs
        self.limits = limits
        self.time = time
        let states = ProviderName.allCases.map { name in
            let own = requestsPerMinute[name].map { [RequestRate($0, in: .minute)] }
            return (name, ProviderState(name, own ?? Provider.of(name).rates))
        }
        self.states = Locked(Dictionary(uniqueKeysWithValues: states))
    }

    /// Where a provider's API is, without a slash at the end.
    static func baseURL(of provider: ProviderName, among others: [ProviderName: String]) -> String {
        var url = others[provider] ?? Provider.of(provider).baseURL
        while url.hasSuffix("/") { url.removeLast() }
        return url
    }

    /// How each provider has answered so far, in the order of their names.
    public func health() -> [ProviderHealth] {
        let now = time.now()
        return states.withLock { states in ProviderName.allCases.compactMap { states[$0]?.health(at: now) } }
    }

    /// The figures of an endpoint. Throws when the provider did not answer, or with nothing that can be used;
    /// at once where it is not to be asked now.
    public func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError) -> Figures {
        let provider = endpoint.provider
        let secrets = ProviderSecrets(endpoint.request)
        do throws(MarketDataError) {
            let (body, fresh) = try await answer(provider, endpoint.request, secrets)
            let decoded: Decoded<Figures>
            do {
                decoded = try endpoint.decode(body)
            } catch {
                let told = MarketDataError(secrets.removed(from: error.description), cause: error.cause)
                update(provider) { (state, now) in
                    if told.cause == .tooOften { state.wantsRest(until: Self.afterRest(now)) }
                    state.failed(told, at: now)
                }
                throw told
            }
            // Only now: what could not be read is not to be asked about again.
            if let fresh, let key = Self.cacheKey(provider, endpoint.request) {
                cache.withLock { $0.keep(fresh, for: key) }
            }
            let refused = (decoded.refused.count, decoded.refused.reasons.map(secrets.removed))
            update(provider) { $0.succeeded(refused: refused.0, reasons: refused.1, at: $1) }
            return decoded.figures
        } catch {
            throw MarketDataError("\(provider.rawValue): \(error.description)", cause: error.cause)
        }
    }

    // MARK: - Tries

    private enum Outcome {
        /// What the endpoint reads; the response it is the whole of, unless that was here already.
        case body([UInt8], fresh: WebResponse?)
        /// What failed may pass.
        case again(MarketDataError)
        case failed(MarketDataError)
    }

    private func answer(
        _ provider: ProviderName, _ request: ProviderRequest, _ secrets: ProviderSecrets
    ) async throws(MarketDataError) -> (body: [UInt8], fresh: WebResponse?) {
        var reasons: [String] = []
        while reasons.count < limits.tries {
            do throws(MarketDataError) {
                if !reasons.isEmpty {
                    try await sleep(limits.backoff(before: reasons.count, random: time.random()))
                }
                try await awaitTurn(provider, request.weight)
            } catch {
                // Why there is no other try is told behind why the last one failed.
                throw MarketDataError((reasons.suffix(1) + [error.description]).joined(separator: "; "))
            }
            switch await tryOnce(provider, request, secrets) {
            case .body(let body, let fresh): return (body, fresh)
            case .again(let error): reasons.append(error.description)
            case .failed(let error): throw error
            }
        }
        throw MarketDataError("\(reasons.last ?? "not asked") (\(reasons.count) tries)")
    }

    private func awaitTurn(_ provider: ProviderName, _ weight: Int) async throws(MarketDataError) {
        let limit = limits.maxWaitMilliseconds
        let wait = try update(provider) { (state, now) throws(MarketDataError) in
            try state.reserve(weight, at: now, within: limit)
        }
        if wait > 0 { try await sleep(wait) }
        try update(provider) { (state, now) throws(MarketDataError) in try state.begin(at: now) }
    }

    private func sleep(_ milliseconds: Int64) async throws(MarketDataError) {
        do {
            try await time.sleep(milliseconds)
        } catch {
            throw MarketDataError(WebError.cancelled.description)
        }
    }

    private func tryOnce(
        _ provider: ProviderName, _ request: ProviderRequest, _ secrets: ProviderSecrets
    ) async -> Outcome {
        let kept = Self.cacheKey(provider, request).flatMap { key in cache.withLock { $0.entry(key) } }
        let isYahoo = provider == .yahoo || provider == .yahooCookie
        let asked = request.web(
            baseURL: Self.baseURL(of: request.sentTo ?? provider, among: baseURLs),
            conditions: kept?.conditions ?? [], limits,
            userAgent: isYahoo ? Self.browserUserAgent : Self.userAgent)
        let response: WebResponse
        do {
            response = try await client.fetch(asked)
        } catch {
            return failure(provider, error)
        }
        update(provider) { (state, _) in state.answered(in: response.elapsed / .milliseconds(1)) }
        if let name = request.answerField, let value = response.field(name) {
            return .body(Array(value.utf8), fresh: nil)
        }
        switch response.status {
        case 200..<300:
            return .body(response.body, fresh: response)
        case 304 where kept != nil:
            return .body(kept?.body ?? [], fresh: nil)
        default:
            return refusal(provider, response, secrets)
        }
    }

    /// Under which an answer is kept; nil where it is not.
    private static func cacheKey(_ provider: ProviderName, _ request: ProviderRequest) -> AnswerCache.Key? {
        // A POST asks for the state of a chain, which no validator is for.
        guard request.body == nil, request.answerField == nil, !request.countsFromReading else { return nil }
        return AnswerCache.Key(provider: provider, request: request)
    }

    private func failure(_ provider: ProviderName, _ error: WebError) -> Outcome {
        let told = MarketDataError(error.description)
        switch error {
        case .timedOut, .unreachable:
            update(provider) { $0.failed(told, at: $1) }
            return .again(told)
        case .tooLarge, .badURL, .badField:
            update(provider) { $0.failed(told, at: $1) }
            return .failed(told)
        // Not the provider's doing.
        case .cancelled, .busy: return .failed(told)
        }
    }

    /// What an answer means that is none: another try helps after 429 and after a fault of the server.
    private func refusal(
        _ provider: ProviderName, _ response: WebResponse, _ secrets: ProviderSecrets
    ) -> Outcome {
        let excerpt = secrets.excerpt(of: response.body)
        let error = MarketDataError(
            "answered \(response.status)" + (excerpt.isEmpty ? "" : ": \(excerpt)"),
            cause: Self.cause(of: response.status))
        let retryAfter = response.field("Retry-After")
        update(provider) { (state, now) in
            if let moment = retryAfter.flatMap({ RetryAfter.moment($0, at: now) }) {
                state.wantsRest(until: moment)
            } else if response.status == 429 {
                state.wantsRest(until: Self.afterRest(now))
            }
            state.failed(error, at: now)
        }
        return response.status == 429 || response.status >= 500 ? .again(error) : .failed(error)
    }

    /// What a status other than 2xx says of the provider (RFC 9110 section 15).
    private static func cause(of status: Int) -> MarketDataError.Cause {
        switch status {
        // How most say that they do not know a symbol.
        case 400, 404: .hasNone
        case 401, 403: .unauthorized
        // 418 is how Binance calls a ban for asking too often.
        case 418, 429: .tooOften
        // 451, a redirect that leads nowhere, 5xx.
        default: .failure
        }
    }

    private static func afterRest(_ now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds + restMilliseconds)
    }

    @discardableResult
    private func update<Result: Sendable, Failure: Error>(
        _ provider: ProviderName, _ change: (inout ProviderState, Timestamp) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let now = time.now()
        return try states.withLock { (states) throws(Failure) in
            try change(&states[provider, default: ProviderState(provider, Provider.of(provider).rates)], now)
        }
    }
}
