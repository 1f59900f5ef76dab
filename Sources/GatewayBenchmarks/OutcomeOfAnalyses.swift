import Foundation

// The cases of analyses, measured.

extension Outcome {
    /// The median time of one, and how many times as many a second as the Python service.
    static func analysis(
        _ item: Case, _ speed: AnalysisLoad.Speed, limit: Double, atLeast: Double
    ) -> Outcome {
        let milliseconds = quantile(0.5, of: speed.latencies) / 1e6
        let ratio = speed.perSecond / speed.pythonPerSecond
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 0)) ms, ≥ \(text(atLeast, 0)) ×",
            measured: ratio, shown: "\(text(milliseconds, 1)) ms, \(text(ratio, 1)) ×",
            details: "99 % within \(text(quantile(0.99, of: speed.latencies) / 1e6, 1)) ms; "
                + "\(text(speed.perSecond, 0)) a second over 8 connections; Python "
                + "\(text(quantile(0.5, of: speed.pythonLatencies) / 1e6, 1)) ms, "
                + "\(text(speed.pythonPerSecond, 1)) a second",
            isPassed: milliseconds <= limit && ratio >= atLeast,
            figures: [
                "milliseconds": speed.latencies.map { Double($0) / 1e6 },
                "python_milliseconds": speed.pythonLatencies.map { Double($0) / 1e6 },
                "per_second": [speed.perSecond], "python_per_second": [speed.pythonPerSecond],
            ])
    }

    /// Processor time over that of `/health`.
    static func cachedAnalysis(_ item: Case, _ cached: AnalysisLoad.Cached, limit: Double) -> Outcome {
        let ratio = cached.analysis / cached.health
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 2)) ×", measured: ratio,
            shown: "\(text(ratio, 2)) ×",
            details: "\(text(cached.analysis / 1000, 1)) over \(text(cached.health / 1000, 1)) µs a request",
            isPassed: ratio <= limit,
            figures: ["nanoseconds": [cached.analysis], "health_nanoseconds": [cached.health]])
    }

    /// All answered, memory that does not grow, and the 99th percentile of an event's delivery.
    static func manyAnalyses(_ item: Case, _ burst: AnalysisLoad.Burst, limit: Double) -> Outcome {
        func ms(_ share: Double, _ times: [UInt64]) -> Double { quantile(share, of: times) / 1e6 }
        let ratio = ms(0.99, burst.loaded) / ms(0.99, burst.quiet)
        let grown = Double((burst.residentBytes.last ?? 0) - (burst.residentBytes.first ?? 0)) / 1_048_576
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 0)) ×, none lost", measured: ratio,
            shown: "\(text(ratio, 2)) ×",
            details:
                "\(burst.answered) of \(burst.asked) answered, "
                + "\(text(burst.perSecond, 0)) a second; events half "
                + "\(text(ms(0.5, burst.loaded), 1)), 99 % \(text(ms(0.99, burst.loaded), 1)) ms, "
                + "without "
                + "\(text(ms(0.5, burst.quiet), 1)), 99 % \(text(ms(0.99, burst.quiet), 1)); memory "
                + "\(text(grown, 0)) MiB more after the last thousand than after the first",
            isPassed: ratio <= limit && burst.answered == burst.asked && burst.asked > 0 && grown <= 32,
            figures: [
                "milliseconds": burst.loaded.map { Double($0) / 1e6 },
                "quiet_milliseconds": burst.quiet.map { Double($0) / 1e6 },
                "resident_bytes": burst.residentBytes.map(Double.init),
            ])
    }
}
