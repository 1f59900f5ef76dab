import LinuxSystem

/// How long it takes from a quote that crosses the threshold to the last subscriber that has the event: a
/// gateway with a live market, whose provider is on this machine.
///
/// The gateway asks for a quote once a second. Time is counted from the moment at which the quote is handed
/// out, so when in that second the price moved has no say. Each crossing ends one condition and begins
/// another, so every subscriber receives two events; the later one counts.
///
/// Most of that time the kernel sends. Some 400 ms after each crossing the raw loop sends as much to as many
/// subscribers, its caches as cold; what the gateway takes beyond that is its share.
struct LiveDetection {
    /// How long one crossing took, in nanoseconds.
    struct Crossing {
        /// From the quote to the first subscriber that had an event of it.
        let first: UInt64
        /// From the quote to the last subscriber that had all events of it.
        let last: UInt64
        /// Of the raw loop, from publication to the last subscriber.
        let floorLast: UInt64
        /// Processor time of the gateway.
        let processor: UInt64
        /// Processor time of the raw loop.
        let floorProcessor: UInt64
    }

    private static let subscriberCount = 1_000
    /// A quote comes each second; longer means that none will.
    private static let patienceMilliseconds: UInt64 = 10_000

    private let provider: CrossingProvider
    private let gateway: ServerProcess
    private let subscribers: LoadGenerator
    private let floor: ServerProcess
    private let floorSubscribers: LoadGenerator

    /// Starts a gateway and the raw loop, and connects the subscribers of both.
    init(_ servers: Servers) throws(BenchmarkError) {
        provider = try CrossingProvider()
        gateway = try servers.start(.gateway, isTLS: false, settings: Self.settings(provider))
        subscribers = try LoadGenerator(
            LoadGenerator.Audience(
                Scenario(server: .gateway), gateway.endpoint,
                target: "/ws/events?event_types=price_anomaly&assets=BTC"),
            capacity: Self.subscriberCount)
        floor = try servers.start(.floor, isTLS: false)
        floorSubscribers = try LoadGenerator(
            LoadGenerator.Audience(Scenario(server: .floor), floor.endpoint), capacity: Self.subscriberCount)
        for generator in [subscribers, floorSubscribers] { try generator.connect(Self.subscriberCount) }
    }

    /// `price_anomaly` alone, each second, from one quote to the next.
    private static func settings(_ provider: CrossingProvider) -> [String: String] {
        var settings = provider.environment
        for name in [
            "EARNINGS_ANOMALY", "UNUSUAL_VOLUME", "WHALE_MOVEMENT", "FUNDING_RATE", "LIQUIDITY_DROP",
            "CORRELATION_BREAKDOWN", "EXCHANGE_OUTAGE",
        ] {
            settings["ENABLE_\(name)_WATCHDOG"] = "false"
        }
        settings["MARKET_DATA_SOURCE"] = "live"
        settings["WATCHDOG_GLOBAL_ENABLED"] = "true"
        settings["WATCHDOG_EVENT_PERSISTENCE"] = "false"
        // One price moves up and down all the time, and each move is to be told.
        settings["WATCHDOG_FLAP_COUNT"] = "1000"
        settings["PRICE_ANOMALY_ASSETS"] = "BTC"
        settings["PRICE_ANOMALY_CHECK_INTERVAL"] = "1"
        settings["PRICE_ANOMALY_WINDOW_SECONDS"] = "1"
        return settings
    }

    /// The times of each of so many crossings, after three that warm up.
    func measure(crossings: Int) throws(BenchmarkError) -> [Crossing] {
        // The price from before must be known, so that the first move is one.
        try subscribers.idle(milliseconds: 2_500)
        provider.beginMoving()
        var measured: [Crossing] = []
        for number in 0..<crossings + 3 { measured.append(try measure(crossing: number)) }
        return Array(measured.dropFirst(3))
    }

    private func measure(crossing number: Int) throws(BenchmarkError) -> Crossing {
        let processor = try gateway.usage.processorNanoseconds()
        // Before the first crossing nothing fired that it could end.
        let received = try subscribers.receive(
            (number == 0 ? 1 : 2) * Self.subscriberCount, within: Self.patienceMilliseconds)
        let spent = try gateway.usage.processorNanoseconds() - processor
        guard let handedOut = provider.handedOut(number), handedOut <= received.first else {
            throw BenchmarkError("an event came before the quote that it is about")
        }
        try floorSubscribers.idle(milliseconds: 400)
        let floorProcessor = try floor.usage.processorNanoseconds()
        let published = monotonicNanoseconds()
        try floorSubscribers.publish(floorEvent())
        let floorLast = try floorSubscribers.receive(
            Self.subscriberCount, within: Self.patienceMilliseconds
        ).last
        return Crossing(
            first: received.first - handedOut, last: received.last - handedOut,
            floorLast: floorLast - published, processor: spent,
            floorProcessor: try floor.usage.processorNanoseconds() - floorProcessor)
    }

    /// As many bytes as a subscriber of the gateway receives of one crossing, in one frame.
    private func floorEvent() -> EventTemplate {
        let bare = EventTemplate(form: .delivered, padding: 0).event(number: 0).count
        return EventTemplate(
            form: .delivered, padding: max(0, 2 * subscribers.tally.lastEventBytes - bare))
    }
}
