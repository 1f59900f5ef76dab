/// Which server is measured, and who is connected to it.
struct Scenario: Hashable {
    enum Server: Hashable {
        case floor, gateway
    }

    enum Subscribers: Hashable {
        /// All with one filter, which every event matches.
        case all
        /// 1,000 filters, no two alike, and an event matches 10 of them: one subscriber in 100.
        case oneInHundred
        /// Only those subscribers of `oneInHundred` that an event matches.
        case matchingAlone
    }

    var server: Server
    var isTLS = false
    var isDeflated = false
    var subscribers = Subscribers.all
    /// Whether the gateway stores events, as it does unless told otherwise.
    var isStored = true

    /// For messages: `gateway, TLS`.
    var name: String {
        var parts = [server == .floor ? "raw loop" : "gateway"]
        if isTLS { parts.append("TLS") }
        if isDeflated { parts.append("deflate") }
        if !isStored { parts.append("nothing stored") }
        switch subscribers {
        case .all: break
        case .oneInHundred: parts.append("1,000 filters")
        case .matchingAlone: parts.append("100 subscribers alone")
        }
        return parts.joined(separator: ", ")
    }

    /// Of the gateway, beside the usual ones.
    var settings: [String: String] { isStored ? [:] : ["WATCHDOG_EVENT_PERSISTENCE": "false"] }

    /// How many connect.
    var connections: Int { subscribers == .matchingAlone ? 100 : 10_000 }
    /// How many of them receive each event.
    var receivers: Int { subscribers == .all ? 10_000 : 100 }

    /// The request target of the subscriber with that number. In `oneInHundred` those with the numbers 0,
    /// 100, 200, … match, so they are spread over the connections.
    func target(_ number: Int) -> String {
        switch subscribers {
        case .all: "/ws/events?severities=high,critical"
        case .oneInHundred:
            number % 100 == 0 ? Self.matching(number / 100) : "/ws/events?assets=SYM\(number % 1000)"
        case .matchingAlone: Self.matching(number)
        }
    }

    private static func matching(_ number: Int) -> String {
        "/ws/events?assets=BTC,SYM\(number % 10 * 100)"
    }
}

/// Something whose cost is measured: a scenario and what is published in it.
struct Load: Hashable {
    var scenario: Scenario
    /// Payload of a delivered frame.
    var eventBytes = 512
    /// Events under way at most, that is published and not yet received by all.
    var window = 1
}

/// One line of the result: what is required of what.
struct Case {
    enum Kind {
        /// The server's processor time per delivered frame, as a multiple of another load's.
        case cost(of: Load, reference: Load, limit: Double)
        /// Resident bytes that one more idle subscriber costs.
        case memory(isTLS: Bool, limit: Double)
        /// What happens at the limit of open descriptors.
        case descriptors(limit: Int)
        /// Processor time of one check of all eight watchdogs over so many assets each.
        case checks(assets: Int, limitMilliseconds: Double)
        /// From a quote that crosses the threshold to the last of 1,000 subscribers: the gateway's share.
        case liveDetection(limitMilliseconds: Double)
        /// An analysis by all eight workers: its time, and how many a second against a Python service.
        case analysis(limitMilliseconds: Double, atLeast: Double)
        /// Processor time of an analysis from the cache, as a multiple of `/health`.
        case cachedAnalysis(limit: Double)
        /// A thousand analyses at once, beside events: how much later 99 % of events come than without.
        case manyAnalyses(limit: Double)
        /// Events a second that are answered as stored, so many in a request.
        case publishing(batch: Int, connections: Int, atLeast: Double)
        /// Events a second to one client that comes back after so many.
        case resume(events: Int, atLeast: Double)
        /// A thousand clients that come back at once: how much later 99 % of live events come than without.
        case manyResumes(limitMilliseconds: Double)
    }

    let name: String
    let what: String
    let kind: Kind

    private static let floor = Scenario(server: .floor)
    private static let floorTLS = Scenario(server: .floor, isTLS: true)
    private static let gateway = Scenario(server: .gateway)
    private static let gatewayTLS = Scenario(server: .gateway, isTLS: true)
    private static let deflated = Scenario(server: .gateway, isDeflated: true)
    private static let unstored = Scenario(server: .gateway, isStored: false)
    private static let oneInHundred = Scenario(server: .gateway, subscribers: .oneInHundred)
    private static let matchingAlone = Scenario(server: .gateway, subscribers: .matchingAlone)

    /// All of them, in the order of the table.
    static let all = [
        Case(
            name: "single", what: "10,000 subscribers, one event at a time, over raw send()",
            kind: .cost(of: Load(scenario: gateway), reference: Load(scenario: floor), limit: 1.10)),
        Case(
            name: "burst", what: "16 events under way, over raw send() one at a time",
            kind: .cost(
                of: Load(scenario: gateway, window: 16), reference: Load(scenario: floor), limit: 0.14)),
        Case(
            name: "single-tls", what: "the same with TLS 1.3, over raw SSL_write",
            kind: .cost(of: Load(scenario: gatewayTLS), reference: Load(scenario: floorTLS), limit: 1.15)),
        Case(
            name: "burst-tls", what: "16 under way with TLS, over raw SSL_write one at a time",
            kind: .cost(
                of: Load(scenario: gatewayTLS, window: 16), reference: Load(scenario: floorTLS),
                limit: 0.14)),
        Case(
            name: "deflate", what: "permessage-deflate over plain, 512 bytes",
            kind: .cost(of: Load(scenario: deflated), reference: Load(scenario: gateway), limit: 1.3)),
        Case(
            name: "deflate-2k", what: "permessage-deflate over plain, 2 KiB",
            kind: .cost(
                of: Load(scenario: deflated, eventBytes: 2048),
                reference: Load(scenario: gateway, eventBytes: 2048), limit: 1.3)),
        Case(
            name: "filters", what: "1,000 filters of which 1 % match, over those 100 subscribers alone",
            kind: .cost(
                of: Load(scenario: oneInHundred), reference: Load(scenario: matchingAlone), limit: 2)),
        Case(
            name: "memory", what: "resident bytes per idle subscriber, from 2,000 to 18,000",
            kind: .memory(isTLS: false, limit: 1024)),
        Case(
            name: "memory-tls", what: "the same with TLS",
            kind: .memory(isTLS: true, limit: 10_240)),
        Case(
            name: "descriptors", what: "1,200 come where 1,000 descriptors are allowed; a critical event",
            kind: .descriptors(limit: 1000)),
        Case(
            name: "checks", what: "CPU of one check of all eight watchdogs over 1,000 assets each",
            kind: .checks(assets: 1000, limitMilliseconds: 50)),
        Case(
            name: "live-detection",
            what: "a quote to the last of 1,000 subscribers, beyond raw send() of as much",
            kind: .liveDetection(limitMilliseconds: 5)),
        Case(
            name: "analysis",
            what: "a recorded asset by all eight workers; requests/s over pandas and TA-Lib",
            kind: .analysis(limitMilliseconds: 20, atLeast: 20)),
        Case(
            name: "analysis-cached", what: "CPU of an analysis from the cache, over /health",
            kind: .cachedAnalysis(limit: 1.5)),
        Case(
            name: "analysis-burst", what: "p99 of events beside 1,000 analyses at once, over without",
            kind: .manyAnalyses(limit: 2)),
        Case(
            name: "publish-batch", what: "events stored on disk, 100 a request over 4 connections",
            kind: .publishing(batch: 100, connections: 4, atLeast: 20_000)),
        Case(
            name: "publish-single", what: "events stored on disk, one a request over 16 connections",
            kind: .publishing(batch: 1, connections: 16, atLeast: 2_000)),
        Case(
            name: "store-broadcast", what: "10,000 subscribers, one event at a time, over not storing it",
            kind: .cost(of: Load(scenario: gateway), reference: Load(scenario: unstored), limit: 1.05)),
        Case(
            name: "resume", what: "10,000 missed events to one client",
            kind: .resume(events: 10_000, atLeast: 100_000)),
        Case(
            name: "resume-many",
            what: "p99 of events beside 1,000 clients that resume 1,000 events each, later than without",
            kind: .manyResumes(limitMilliseconds: 50)),
    ]
}
