import FIMLCore
import MarketData

@testable import MarketProviders

/// Providers that answer what a test says, and note who was asked.
actor LiveMarketProviders: ProviderAsking {
    /// What is asked of whom; the answer is figures, or nil where the provider is down.
    typealias Reply = @Sendable (ProviderName, ProviderRequest) throws(MarketDataError) -> (any Sendable)?

    private var reply: Reply
    /// Answers are held back while this says so.
    private var holds: @Sendable (ProviderRequest) -> Bool = { _ in false }
    private var held: [CheckedContinuation<Void, Never>] = []
    private var waiting:
        [(isMet: (LiveMarketProviders) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
            []

    /// Who was asked, in order.
    private(set) var asked: [ProviderName] = []
    /// Questions that are being answered, and how many they were at most.
    private(set) var running = 0
    private(set) var mostRunning = 0
    /// Questions that were answered.
    private(set) var answered = 0

    init(_ reply: @escaping Reply) {
        self.reply = reply
    }

    func answer(_ reply: @escaping Reply) {
        self.reply = reply
    }

    /// Forgets who was asked.
    func forget() {
        asked = []
    }

    func hold(where holds: @escaping @Sendable (ProviderRequest) -> Bool) {
        self.holds = holds
    }

    /// Lets go what is held, and holds no more.
    func letGo() {
        holds = { _ in false }
        for continuation in held { continuation.resume() }
        held = []
    }

    /// Returns once so many questions are being answered.
    func untilRunning(_ count: Int) async {
        await until { $0.assumeIsolated { $0.running >= count } }
    }

    /// Returns once so many questions were answered.
    func untilAnswered(_ count: Int) async {
        await until { $0.assumeIsolated { $0.answered >= count } }
    }

    func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError) -> Figures {
        asked.append(endpoint.provider)
        running += 1
        mostRunning = max(mostRunning, running)
        resume()
        if holds(endpoint.request) { await withCheckedContinuation { held.append($0) } }
        running -= 1
        answered += 1
        resume()
        guard let figures = try reply(endpoint.provider, endpoint.request) as? Figures else {
            throw MarketDataError("down")
        }
        return figures
    }

    private func until(_ isMet: @escaping (LiveMarketProviders) -> Bool) async {
        if isMet(self) { return }
        await withCheckedContinuation { waiting.append((isMet, $0)) }
    }

    private func resume() {
        let met = waiting.filter { $0.isMet(self) }
        waiting.removeAll { $0.isMet(self) }
        for (_, continuation) in met { continuation.resume() }
    }
}

/// Keeps the lines of a log.
actor LogLines {
    private(set) var lines: [String] = []

    func add(_ line: String) {
        lines.append(line)
    }
}

/// The beginnings of what live market tests need.
enum Live {
    /// 2025-10-11T12:00:00Z.
    static let noon = Timestamp(milliseconds: 1_760_184_000_000)
    static let bitcoin = Asset(symbol: "BTC", assetType: .crypto, market: .crypto)
    static let ether = Asset(symbol: "ETH", assetType: .crypto, market: .crypto)
    static let fund = Asset(symbol: "SPY", assetType: .etf)
    static let company = Asset(symbol: "AAPL", assetType: .equity)

    static func market(
        _ providers: LiveMarketProviders, keys: [ProviderName: String] = [:], directory: String? = nil,
        now: Timestamp = noon, log: @escaping @Sendable (String) -> Void = { _ in }
    ) -> LiveMarket {
        var configuration = LiveMarket.Configuration()
        configuration.keys = keys
        configuration.directory = directory
        return LiveMarket(
            configuration, client: providers, transfers: TransferFeed(asking: providers, whaleAlertKey: nil), now: now, log: log)
    }

    static func after(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: noon.milliseconds + seconds * 1_000)
    }

    static func quote(_ price: Double, at moment: Timestamp = noon, every seconds: Int64 = 1) -> Quote {
        Quote(observedAt: moment, price: price, intervalSeconds: seconds)
    }

    /// Daily bars whose last begins at the midnight before `moment`; volumes are told from 1 on.
    static func bars(_ count: Int, upTo moment: Timestamp = noon) -> [Bar] {
        let midnight = moment.milliseconds / 86_400_000 * 86_400_000
        return (0..<count).map { index in
            Bar(
                opensAt: Timestamp(milliseconds: midnight - Int64(count - 1 - index) * 86_400_000),
                intervalSeconds: 86_400, open: 100, high: 110, low: 90, close: 105, volume: Double(index + 1))
        }
    }

    /// A book with half of `usd` dollars on each side at the best price, and more too far away to count.
    static func book(_ usd: Double, at moment: Timestamp = noon) -> OrderBook {
        OrderBook(
            observedAt: moment,
            bids: [.init(price: 100, amount: usd / 200), .init(price: 90, amount: 1_000)],
            asks: [.init(price: 100.5, amount: usd / 201), .init(price: 120, amount: 1_000)])
    }
}
