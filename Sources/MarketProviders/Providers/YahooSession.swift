import FIMLCore
import MarketData

/// Asks as another does, and adds what Yahoo wants to see before it answers with figures of a company: a
/// cookie, and the crumb that belongs to it. Both are free and last for months; they are fetched when first
/// needed and kept. Whatever they are needed for goes by the limits of `yahoo_cookie`, so that a refusal
/// of it leaves charts and news, which need neither, alone.
public actor YahooSession: ProviderAsking {
    /// A cookie and its crumb.
    public struct Credentials: Hashable, Sendable {
        /// `A3=…`, for the field `Cookie`.
        public var cookie: String
        /// For the query.
        public var crumb: String
    }

    /// After a fetch that failed there is no other for so long: who asks Yahoo for crumbs again and again is
    /// refused all the longer.
    static let backoffMilliseconds: Int64 = 300_000

    private let asking: any ProviderAsking
    private let now: @Sendable () -> Timestamp
    private var fetching: Task<Result<Credentials, MarketDataError>, Never>?
    /// When the last fetch failed, if it did.
    private var failedAt: Timestamp?

    /// A session without a cookie yet. `now` tells the time.
    public init(
        asking: any ProviderAsking, now: @escaping @Sendable () -> Timestamp = ProviderTime.real().now
    ) {
        self.asking = asking
        self.now = now
    }

    /// The cookie and its crumb. All who ask at once wait for one fetch; where that fails, all who ask within
    /// the next five minutes are told so.
    public func credentials() async throws(MarketDataError) -> Credentials {
        if let failedAt, now().milliseconds - failedAt.milliseconds >= Self.backoffMilliseconds {
            self.failedAt = nil
            fetching = nil
        }
        let task = fetching ?? Task { [asking] in await Self.fetch(asking) }
        fetching = task
        let result = await task.value
        if case .failure = result, fetching == task, failedAt == nil { failedAt = now() }
        return try result.get()
    }

    /// Fetches anew next time, unless that was done since: Yahoo does not take these credentials any more.
    public func refused(_ credentials: Credentials) async {
        guard let task = fetching, case .success(credentials) = await task.value, fetching == task else {
            return
        }
        fetching = nil
    }

    /// The figures of an endpoint. Where Yahoo refuses the credentials, the next who asks has new ones.
    public nonisolated func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError)
        -> Figures
    {
        guard Yahoo.needsCredentials(endpoint.provider, endpoint.request) else {
            return try await asking.ask(endpoint)
        }
        let credentials = try await credentials()
        var signed = endpoint
        signed.provider = .yahooCookie
        signed.request.sentTo = .yahoo
        signed.request.query.append(["crumb", credentials.crumb])
        signed.request.fields.append(["Cookie", credentials.cookie])
        do {
            return try await asking.ask(signed)
        } catch {
            if error.cause == .unauthorized { await refused(credentials) }
            throw error
        }
    }

    private static func fetch(_ asking: any ProviderAsking) async -> Result<Credentials, MarketDataError> {
        do throws(MarketDataError) {
            let cookie = try await asking.ask(Yahoo.cookie)
            return .success(
                Credentials(cookie: cookie, crumb: try await asking.ask(Yahoo.crumb(cookie: cookie))))
        } catch {
            return .failure(error)
        }
    }
}

extension Yahoo {
    /// Whether a request is about a company or its options and has no cookie yet.
    static func needsCredentials(_ provider: ProviderName, _ request: ProviderRequest) -> Bool {
        provider == .yahoo && !request.fields.contains { $0.first == "Cookie" }
            && ["/v7/", "/v10/"].contains(where: request.path.hasPrefix)
    }

    /// A cookie, which a host of Yahoo's sets that has nothing else to say: it answers 404.
    static let cookie = Endpoint(.yahooCookie, ProviderRequest("/", answerField: "Set-Cookie")) {
        field throws(MarketDataError) in
        // Up to its attributes (RFC 6265 section 4.1.1).
        let pair = field.prefix { $0 != UInt8(ascii: ";") }
        // Yahoo's has about 200 bytes.
        guard (3...1_024).contains(pair.count), pair.dropFirst().contains(UInt8(ascii: "=")), isWord(pair)
        else {
            throw MarketDataError("the answer sets no cookie")
        }
        return Decoded(String(decoding: pair, as: UTF8.self))
    }

    /// The crumb that belongs to a cookie, which is plain text.
    static func crumb(cookie: String) -> Endpoint<String> {
        let request = ProviderRequest("/v1/test/getcrumb", fields: [["Cookie", cookie]], sentTo: .yahoo)
        return Endpoint(.yahooCookie, request) { body throws(MarketDataError) in
            // A page or a JSON error instead of a crumb is longer or has spaces.
            guard (1...64).contains(body.count), isWord(body[...]), !body.contains(UInt8(ascii: "<")),
                !body.contains(UInt8(ascii: "{"))
            else { throw MarketDataError("the answer is not a crumb") }
            return Decoded(String(decoding: body, as: UTF8.self))
        }
    }

    /// Whether there is nothing but printable ASCII without spaces, which is safe in a field.
    private static func isWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
