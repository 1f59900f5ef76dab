// The cases of the event store, measured.

extension Outcome {
    /// Events a second: the median of the parts.
    static func rate(_ item: Case, _ rates: [Double], atLeast: Double) -> Outcome {
        let rate = median(rates)
        return Outcome(
            name: item.name, what: item.what, required: "≥ \(text(atLeast, 0))/s", measured: rate,
            shown: "\(text(rate, 0))/s",
            details: "\(text(rates.min() ?? 0, 0)) … \(text(rates.max() ?? 0, 0)) in \(rates.count) parts",
            isPassed: rate >= atLeast, figures: ["per_second": rates])
    }

    /// How much later 99 % of live events come.
    static func manyResumes(_ item: Case, _ resumes: StoreLoad.ManyResumes, limit: Double) -> Outcome {
        func ms(_ share: Double, _ times: [UInt64]) -> Double { quantile(share, of: times) / 1e6 }
        let delay = max(0, ms(0.99, resumes.loaded) - ms(0.99, resumes.quiet))
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 0)) ms", measured: delay,
            shown: "\(text(delay, 1)) ms",
            details:
                "events half \(text(ms(0.5, resumes.loaded), 1)), 99 % \(text(ms(0.99, resumes.loaded), 1)) "
                + "ms, without \(text(ms(0.5, resumes.quiet), 1)), 99 % \(text(ms(0.99, resumes.quiet), 1)); "
                + "\(resumes.loaded.count) events meanwhile; "
                + "\(text(median(resumes.perSecond), 0)) resumed a second",
            isPassed: delay <= limit && !resumes.loaded.isEmpty,
            figures: [
                "milliseconds": resumes.loaded.map { Double($0) / 1e6 },
                "quiet_milliseconds": resumes.quiet.map { Double($0) / 1e6 },
                "resumed_per_second": resumes.perSecond,
            ])
    }
}
