import FIMLCore
import MarketData

/// The market as it is now: asks providers, one after another until one answers, and remembers what they
/// cannot give again.
///
/// Figures come as of the moment of the question, which is about now. What providers do not give, the memory
/// does, as long as it is young enough for the watchdogs (5 of its own intervals).
public actor LiveMarket {
    /// What can be set.
    public struct Configuration: Hashable, Sendable {
        /// Keys of providers that answer only with one.
        public var keys: [ProviderName: String] = [:]
        /// Where the memory is kept over a restart, a directory that is there; nil: it is not.
        public var directory: String?
        /// How far apart quotes are asked for, in seconds: the check interval of `price_anomaly`.
        public var quoteIntervalSeconds: Int64 = 30
        /// How far apart depths are asked for, in seconds: the check interval of `liquidity_drop`.
        public var depthIntervalSeconds: Int64 = 180

        /// No keys, nothing kept, FIML's intervals.
        public init() {}
    }

    /// What a company last reported.
    struct KnownReport {
        /// When it came.
        var askedAt: Timestamp
        /// The report.
        var report: EarningsReport
    }

    /// A report of a quarter is as true a day later.
    static let reportMilliseconds: Int64 = 86_400_000
    /// The bar of today changes, those before do not: asked for once a minute an asset.
    static let barMilliseconds: Int64 = 60_000

    private(set) var configuration: Configuration
    let order: ProviderOrder
    let fallback: Fallback
    let feed: TransferFeed
    let log: @Sendable (String) -> Void
    private let file: HistoryFile?
    /// What was seen so far.
    var history: MarketHistory {
        didSet { isSaved = false }
    }
    /// Whether nothing was seen since the history was last kept.
    private var isSaved = false
    /// The last writing of the file.
    private var saving: Task<Result<Void, MarketDataError>, Never>?
    /// Questions for daily bars that are on their way, by asset: who else wants them waits for the answer.
    var underway: [String: Task<Result<BarWindow?, MarketDataError>, Never>] = [:]
    /// When daily bars were last asked for and answered, by asset.
    var answered: [String: Timestamp] = [:]
    /// What companies last reported, by asset.
    var reports: [String: KnownReport] = [:]

    /// A market that asks by `client`, and begins with what was kept. `now` is the time by which what is too
    /// old is dropped; `log` gets one line for whatever could not be used.
    public init(
        _ configuration: Configuration = Configuration(), client: any ProviderAsking,
        transfers: TransferFeed, now: Timestamp, log: @escaping @Sendable (String) -> Void
    ) {
        self.configuration = configuration
        self.log = log
        feed = transfers
        order = ProviderOrder(keys: configuration.keys)
        fallback = Fallback(client: client)
        file = configuration.directory.map { HistoryFile(in: $0) }
        history = file?.load(now: now, log: log) ?? MarketHistory()
    }

    /// Goes on with other intervals of its checks.
    public func use(quoteIntervalSeconds: Int64, depthIntervalSeconds: Int64) {
        configuration.quoteIntervalSeconds = quoteIntervalSeconds
        configuration.depthIntervalSeconds = depthIntervalSeconds
    }

    /// Keeps what was seen so far, in one file that is replaced as a whole, unless nothing was seen since the
    /// last time. Throws when it cannot be written; then the old one stays.
    public func save() async throws(MarketDataError) {
        guard let file else { return }
        let earlier = saving
        if !isSaved {
            isSaved = true
            // Beside the actor, which goes on answering: a large history takes a second. One writing after
            // another, as all begin the same file.
            saving = Task.detached { [history] in
                _ = await earlier?.value
                return Result { () throws(MarketDataError) in try file.save(history) }
            }
        }
        do {
            try await saving?.value.get()
        } catch {
            isSaved = false
            throw error
        }
    }
}
