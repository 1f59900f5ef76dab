import FIMLCore
import Testing

@testable import FIMLWatchdogs

@Suite("A node shows the figures of watchdogs that run on another")
struct WatchdogRecordTests {
    private static func metrics() -> WatchdogMetrics {
        var metrics = WatchdogMetrics(name: .priceAnomaly, status: .degraded)
        metrics.checksPerformed = 12
        metrics.checksFailed = 3
        metrics.checksSkipped = 1
        metrics.consecutiveFailures = 1
        metrics.eventsEmitted = 5
        metrics.eventsBySeverity = [.high: 2, .critical: 1]
        metrics.eventsByType = [.flashCrash: 1, .priceAnomaly: 2]
        metrics.lastCheck = at(600)
        metrics.lastEvent = at(540)
        metrics.lastInput = at(599)
        metrics.lastError = "no provider answered"
        metrics.minCheckSeconds = 0.25
        metrics.maxCheckSeconds = 1.5
        metrics.avgCheckSeconds = 0.5
        metrics.judgedInLastCheck = 7
        metrics.uptimeSeconds = 700
        metrics.secondsSinceLastCheck = 20
        return metrics
    }

    @Test("a record says all that is shown, and how long ago grows with its age")
    func roundTrip() throws {
        let metrics = Self.metrics()
        let json = try JSONValue.parse(metrics.record.json)
        #expect(WatchdogMetrics(record: json) == metrics)
        let older = try #require(WatchdogMetrics(record: json, ageSeconds: 5.5))
        #expect(older.secondsSinceLastCheck == 25.5)
        var waiting = metrics
        waiting.isStandingBy = true
        #expect(WatchdogMetrics(record: waiting.record) == waiting)
    }

    @Test(
        "what names no watchdog or status is no record",
        arguments: [
            "null", "[]", "{}", #"{"name":"price_anomaly"}"#, #"{"status":"healthy"}"#,
            #"{"name":"x","status":"healthy"}"#, #"{"name":"price_anomaly","status":"well"}"#,
            #"{"name":1,"status":{}}"#,
        ])
    func none(text: String) throws {
        #expect(WatchdogMetrics(record: try JSONValue.parse(Array(text.utf8))) == nil)
    }

    @Test("figures that cannot be are cut to what can: no sum of them overflows")
    func hostile() throws {
        let values: [JSONValue] = [
            .null, .bool(true), .integer(.max), .integer(.min), .number(1e308), .number(-1e308), .number(0.5),
            .string(String(repeating: "x", count: 10_000)), .array([.null]),
            .object(["high": .integer(.max), "low": .integer(.max), "flash_crash": .integer(-1)]),
        ]
        guard case .object(let good) = Self.metrics().record else {
            Issue.record("not an object")
            return
        }
        for value in values {
            var members = good.mapValues { _ in value }
            members["name"] = good["name"]
            members["status"] = good["status"]
            let read = try #require(WatchdogMetrics(record: .object(members), ageSeconds: 1e300))
            let summary = WatchdogHealthSummary(
                watchdogs: Array(repeating: read, count: WatchdogName.allCases.count), timestamp: nil)
            #expect((0...1).contains(read.successRate) && (0...1).contains(summary.overallSuccessRate))
            #expect(summary.totalChecks >= 0 && summary.totalEvents >= 0 && summary.detectionRate >= 0)
            #expect((read.lastError?.count ?? 0) <= 200)
            #expect(read.secondsSinceLastCheck >= 0 && read.uptimeSeconds >= 0)
            #expect(summary.json != .null && summary.eventsByType.values.allSatisfy { $0 > 0 })
        }
    }

    @Test("in the place of one that stands by, that of the node which runs it is shown")
    func merged() {
        func one(
            _ name: WatchdogName, _ status: WatchdogStatus, standsBy: Bool = false, since: Double = 0
        ) -> WatchdogMetrics {
            var metrics = WatchdogMetrics(name: name, status: status)
            metrics.isStandingBy = standsBy
            metrics.secondsSinceLastCheck = since
            return metrics
        }
        let own = WatchdogHealthSummary(
            watchdogs: [
                one(.priceAnomaly, .healthy), one(.fundingRate, .stale, standsBy: true),
                one(.unusualVolume, .stale, standsBy: true), one(.whaleMovement, .stale, standsBy: true),
            ], timestamp: at(1))
        let merged = own.merged(with: [
            one(.priceAnomaly, .unhealthy), one(.fundingRate, .stale, standsBy: true, since: 1),
            one(.fundingRate, .degraded, since: 2), one(.fundingRate, .unhealthy, since: 300),
            one(.unusualVolume, .disabled, since: 9), one(.exchangeOutage, .healthy),
            one(.whaleMovement, .stale, standsBy: true),
        ])
        #expect(
            merged.watchdogs.map(\.name) == [.priceAnomaly, .fundingRate, .unusualVolume, .whaleMovement])
        #expect(merged.watchdogs.map(\.status) == [.healthy, .degraded, .disabled, .stale])
        #expect(merged.watchdogs.map(\.isStandingBy) == [false, false, false, true])
        #expect(merged.timestamp == at(1))
    }
}
