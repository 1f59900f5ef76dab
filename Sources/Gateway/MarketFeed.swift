import Configuration
import FIMLAgents
import FIMLCore
import FIMLWatchdogs
import Foundation
import LinuxSystem
import MarketData
import MarketProviders
import Observability
import WebClient

/// The market that the watchdogs watch and the workers judge: a recorded one, or public APIs.
struct MarketFeed: Sendable {
    /// Where each data need is met.
    let sources: MarketSources
    /// Where the needs of the analysis workers are met.
    let analysisMarket: AnalysisMarket
    /// What its time is.
    let clock: any MarketClock
    /// Whether it is the market as it is now.
    let isLive: Bool
    /// What of it is watched, as it is set.
    let assets: @Sendable (Settings.Watchdogs) -> WatchedAssets
    /// Tells it that the watchdogs have other settings.
    let use: @Sendable (Settings.Watchdogs) async -> Void
    /// How its providers are; a recorded market has none.
    let providers: @Sendable () -> [ProviderHealth]
    /// Keeps its history over a restart; why it could not, or nil.
    let save: @Sendable () async -> String?

    /// Opens the market that the settings name. `replayFiles`: a user's own recordings; the shipped one where
    /// there are none.
    static func open(_ settings: Settings, replayFiles: [String], _ log: Log) throws -> MarketFeed {
        let client = try WebClient()
        return switch settings.marketData.source {
        case .replay: try replay(settings, replayFiles, client, log)
        case .live: try live(settings, client, log)
        }
    }

    private static func replay(
        _ settings: Settings, _ files: [String], _ client: WebClient, _ log: Log
    ) throws -> MarketFeed {
        let recording =
            files.isEmpty
            ? try Recording.load(directory: Recording.shippedDirectory()) : try Recording.load(files: files)
        if recording.refused.count > 0 {
            let first = recording.refused.first.first.map { "; the first: \($0)" } ?? ""
            log.warning("\(recording.refused.count) rows of the recording were refused\(first)")
        }
        let market = try ReplayMarket(
            recording,
            from: settings.marketData.replayFrom.map {
                Timestamp(milliseconds: Int64($0.secondsSince1970) * 1_000)
            },
            speed: Int64(settings.marketData.replaySpeed))
        let exchanges = try ScriptedExchanges(script: market.exchangeScript, client: client)
        return MarketFeed(
            sources: MarketSources(market, exchanges: exchanges),
            analysisMarket: AnalysisMarket(recorded: market),
            clock: market, isLive: false,
            assets: { WatchedAssets(recorded: market, pairs: $0.correlationBreakdown.pairs) },
            use: { _ in }, providers: { [] }, save: { nil })
    }

    private static func live(_ settings: Settings, _ client: WebClient, _ log: Log) throws -> MarketFeed {
        let baseURLs = Self.byProvider(settings.marketData.providerURLs)
        let keys = Self.byProvider(settings.marketData.providerKeys)
        let providers = ProviderClient(
            client, baseURLs: baseURLs, limits: ProviderLimits(within: settings.watchdogs.checkTimeout))
        var configuration = LiveMarket.Configuration()
        configuration.keys = keys
        configuration.quoteIntervalSeconds = settings.watchdogs.priceAnomaly.checkInterval.components.seconds
        configuration.depthIntervalSeconds = settings.watchdogs.liquidityDrop.checkInterval.components.seconds
        if settings.watchdogs.persistsState {
            configuration.directory = try settings.makeDataDirectory()
        }
        let market = LiveMarket(
            configuration, client: YahooSession(asking: providers),
            transfers: TransferFeed(asking: providers, whaleAlertKey: keys[.whaleAlert]),
            now: Timestamp(milliseconds: wallMilliseconds()), log: { log.warning($0) })
        sayWhatNobodyAnswers(WatchedAssets(live: settings.watchdogs), keys, log)
        // By a client of its own: behind the market's own requests an exchange would seem slow.
        let exchanges = ExchangeProbe(client: try WebClient(), baseURLs: baseURLs)
        return MarketFeed(
            sources: MarketSources(market, exchanges: exchanges),
            analysisMarket: AnalysisMarket(market, isLive: true), clock: market, isLive: true,
            assets: { WatchedAssets(live: $0) },
            use: { watchdogs in
                await market.use(
                    quoteIntervalSeconds: watchdogs.priceAnomaly.checkInterval.components.seconds,
                    depthIntervalSeconds: watchdogs.liquidityDrop.checkInterval.components.seconds)
            },
            providers: { providers.health() },
            save: {
                do throws(MarketDataError) {
                    try await market.save()
                    return nil
                } catch {
                    return error.description
                }
            })
    }

    /// What is watched and no provider has, said once instead of in each check.
    private static func sayWhatNobodyAnswers(
        _ assets: WatchedAssets, _ keys: [ProviderName: String], _ log: Log
    ) {
        let bookless = assets.depth.filter { $0.assetType != .crypto }.map(\.symbol)
        if !bookless.isEmpty {
            log.info("liquidity_drop: no provider has an order book of \(bookless.joined(separator: ", "))")
        }
        let unread = assets.transfers.map(\.symbol).filter { !TransferFeed.readableSymbols.contains($0) }
        if !unread.isEmpty, keys[.whaleAlert] == nil {
            log.info(
                "whale_movement: transfers of \(unread.joined(separator: ", ")) need WHALE_ALERT_API_KEY")
        }
    }

    /// Settings name providers as events and health do.
    private static func byProvider(_ values: [String: String]) -> [ProviderName: String] {
        values.reduce(into: [:]) { result, entry in
            if let name = ProviderName(rawValue: entry.key) { result[name] = entry.value }
        }
    }
}

extension Settings {
    /// The path of a file in the data directory.
    func path(of file: String) -> String {
        server.dataDirectory + "/" + file
    }

    /// The data directory, which is made where it is not there. Throws one line where that cannot be done.
    func makeDataDirectory() throws(GatewayError) -> String {
        do {
            try FileManager.default.createDirectory(
                atPath: server.dataDirectory, withIntermediateDirectories: true)
        } catch {
            throw GatewayError(
                "FIML_DATA_DIR=\(server.dataDirectory) cannot be made (\(error.localizedDescription)); "
                    + "name another, or set WATCHDOG_EVENT_PERSISTENCE=false")
        }
        return server.dataDirectory
    }
}
