import FIMLCore
import HTTP
import MarketData
import MarketProviders
import Synchronization
import Testing
import WebClient

/// A provider on the loopback, with the client that asks it. Time is set by hand: who waits is there at once.
final class AskedProvider: Sendable {
    /// A base URL that nobody answers at. A port that was free a moment ago would not do: the servers of
    /// other tests take such ports, and none ever gets this one.
    static let nobody = "http://127.0.0.1:1"
    /// 2026-01-02T03:04:05Z.
    static let begin = Timestamp(milliseconds: 1_767_323_045_000)

    let client: ProviderClient
    let name: ProviderName
    private let server: ScriptedServer
    private let record: Record

    private final class Record: Sendable {
        let requests = Mutex<[HTTPRequest]>([])
        let time = Mutex((now: AskedProvider.begin, waits: [Int64]()))
    }

    /// Answers with the replies in their order; then always with the last.
    init(
        _ replies: [ScriptedReply], as name: ProviderName = .binance,
        alsoAs other: ProviderName? = nil, baseURL: (String) -> String = { $0 },
        requestsPerMinute: Int = 6_000, limits change: (inout ProviderLimits) -> Void = { _ in }
    ) throws {
        let record = Record()
        self.record = record
        self.name = name
        server = try ScriptedServer { request in
            let number = record.requests.withLock { requests in
                requests.append(request)
                return requests.count
            }
            return replies[min(number, replies.count) - 1]
        }
        var limits = ProviderLimits()
        change(&limits)
        var baseURLs = [name: baseURL(server.baseURL)]
        if let other { baseURLs[other] = server.baseURL }
        client = ProviderClient(
            try WebClient(), baseURLs: baseURLs,
            requestsPerMinute: [name: requestsPerMinute], limits: limits,
            time: ProviderTime(
                now: { record.time.withLock { $0.now } },
                sleep: { wait in
                    record.time.withLock { time in
                        time.now.milliseconds += wait
                        time.waits.append(wait)
                    }
                },
                random: { 1 }))
    }

    /// What it was asked so far.
    var requests: [HTTPRequest] { record.requests.withLock { $0 } }
    /// How long the client waited each time, in milliseconds.
    var waits: [Int64] { record.time.withLock { $0.waits } }
    /// The provider's health.
    var health: ProviderHealth? { client.health().first { $0.name == name } }

    /// Lets so many milliseconds pass.
    func pass(_ milliseconds: Int64) {
        record.time.withLock { $0.now.milliseconds += milliseconds }
    }

    /// The text that comes of a request; as an error, why none does.
    func ask(_ request: ProviderRequest = ProviderRequest("/a")) async -> Result<String, MarketDataError> {
        await ask(request) { (body) throws(MarketDataError) in Decoded(String(decoding: body, as: UTF8.self))
        }
    }

    /// The same, read in another way.
    func ask(
        _ request: ProviderRequest,
        decode: @escaping @Sendable ([UInt8]) throws(MarketDataError) -> Decoded<String>
    ) async -> Result<String, MarketDataError> {
        do throws(MarketDataError) {
            return .success(try await client.ask(Endpoint(name, request, decode: decode)))
        } catch {
            return .failure(error)
        }
    }
}
