import FIMLCore
import Foundation

/// A case, measured.
struct Outcome: Encodable {
    let name: String
    let what: String
    /// `≤ 1.10 ×`.
    let required: String
    /// The median over the rounds; nil where there is no single number.
    let measured: Double?
    /// The same for people: `1.04 ×`.
    let shown: String
    /// What it is made of, for people.
    let details: String
    let isPassed: Bool
    /// Everything that was measured, round by round.
    let figures: [String: [Double]]

    private enum CodingKeys: String, CodingKey {
        case name, what, required, measured, shown, details, figures
        case isPassed = "passed"
    }

    /// A ratio of costs: the median over the rounds of each round's.
    static func cost(_ item: Case, _ own: [Figure], _ reference: [Figure], limit: Double) -> Outcome {
        let ratios = zip(own, reference).map { $0.nanosecondsPerFrame / $1.nanosecondsPerFrame }
        let ratio = median(ratios)
        let digits = limit < 1 ? 3 : 2
        let costs = own.map(\.nanosecondsPerFrame)
        let referenceCosts = reference.map(\.nanosecondsPerFrame)
        var details =
            "\(text(ratios.min() ?? 0, digits)) … \(text(ratios.max() ?? 0, digits)); "
            + "\(text(median(costs) / 1000, 2)) over \(text(median(referenceCosts) / 1000, 2)) µs a frame"
        let latency = median(own.map(\.latencyMedian))
        if latency > 0 {
            let slow = median(own.map(\.latency99))
            details += "; received after \(text(latency, 1)) ms, 99 % after \(text(slow, 1))"
        }
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 2)) ×", measured: ratio,
            shown: "\(text(ratio, digits)) ×", details: details, isPassed: ratio <= limit,
            figures: [
                "ratios": ratios, "nanoseconds_per_frame": costs,
                "reference_nanoseconds_per_frame": referenceCosts,
                "latency_p50_milliseconds": own.map(\.latencyMedian),
                "latency_p99_milliseconds": own.map(\.latency99),
            ])
    }

    /// Bytes a subscriber.
    static func memory(_ item: Case, _ bytes: Double, limit: Double) -> Outcome {
        Outcome(
            name: item.name, what: item.what, required: "≤ \(Int(limit)) B", measured: bytes,
            shown: "\(Int(bytes)) B", details: "", isPassed: bytes <= limit, figures: ["bytes": [bytes]])
    }

    /// Milliseconds of processor time: the median of the checks.
    static func checks(_ item: Case, _ costs: [CheckCost], limit: Double) -> Outcome {
        let totals = costs.map(\.processorMilliseconds)
        let elapsed = costs.map { Double($0.elapsed) / 1e6 }
        var figures = ["milliseconds": totals, "elapsed_milliseconds": elapsed]
        var parts: [(name: String, cost: Double)] = []
        for name in WatchdogName.allCases {
            let own = costs.map { Double($0.processor[name] ?? 0) / 1e6 }
            figures["\(name.rawValue)_milliseconds"] = own
            parts.append((name.rawValue, median(own)))
        }
        let dearest = parts.sorted { $0.cost > $1.cost }.prefix(3).map { "\($0.name) \(text($0.cost, 1))" }
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 0)) ms", measured: median(totals),
            shown: "\(text(median(totals), 1)) ms",
            details:
                "\(text(totals.min() ?? 0, 1)) … \(text(totals.max() ?? 0, 1)) in \(totals.count) checks; "
                + "\(costs.first?.judgements ?? 0) judgements, \(costs.first?.anomalies ?? 0) of them "
                + "anomalies; " + dearest.joined(separator: ", "),
            isPassed: median(totals) <= limit, figures: figures)
    }

    /// Milliseconds that the gateway takes beyond the raw loop. Of 100 crossings one always meets with the
    /// machine's other work, so at p99 processor time is compared; a wait, which takes none, shows at the
    /// median, where time is. The larger of the two counts.
    static func liveDetection(_ item: Case, _ crossings: [LiveDetection.Crossing], limit: Double) -> Outcome {
        func ms(_ share: Double, _ time: (LiveDetection.Crossing) -> UInt64) -> Double {
            quantile(share, of: crossings.map(time)) / 1e6
        }
        func both(_ time: (LiveDetection.Crossing) -> UInt64) -> String {
            "\(text(ms(0.5, time), 1)) ms, 99 % \(text(ms(0.99, time), 1))"
        }
        let processor = ms(0.99, \.processor) - ms(0.99, \.floorProcessor)
        let time = ms(0.5, \.last) - ms(0.5, \.floorLast)
        let share = max(processor, time, 0)
        return Outcome(
            name: item.name, what: item.what, required: "≤ \(text(limit, 0)) ms", measured: share,
            shown: "\(text(share, 1)) ms",
            details: "first has it after \(both(\.first)); last after \(both(\.last)), by the raw loop "
                + "\(both(\.floorLast)); CPU \(both(\.processor)), raw loop \(both(\.floorProcessor)); "
                + "\(crossings.count) crossings",
            isPassed: share <= limit,
            figures: [
                "first_milliseconds": crossings.map { Double($0.first) / 1e6 },
                "last_milliseconds": crossings.map { Double($0.last) / 1e6 },
                "raw_loop_last_milliseconds": crossings.map { Double($0.floorLast) / 1e6 },
                "cpu_milliseconds": crossings.map { Double($0.processor) / 1e6 },
                "raw_loop_cpu_milliseconds": crossings.map { Double($0.floorProcessor) / 1e6 },
            ])
    }

    static func text(_ value: Double, _ digits: Int) -> String {
        String(format: "%.\(digits)f", value)
    }
}

/// Outcomes as they are printed.
struct Report {
    let outcomes: [Outcome]

    /// For people: a line for each case.
    var table: String {
        let rows =
            [["case", "required", "measured", "", "what, and what it is made of"]]
            + outcomes.map { outcome in
                [
                    outcome.name, outcome.required, outcome.shown, outcome.isPassed ? "pass" : "FAIL",
                    outcome.what,
                ]
            }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        var lines: [String] = []
        for (index, row) in rows.enumerated() {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            lines.append((cells + [row[4]]).joined(separator: "  "))
            guard index > 0, !outcomes[index - 1].details.isEmpty else { continue }
            let indentation = String(repeating: " ", count: widths.reduce(0, +) + 2 * widths.count)
            lines.append(indentation + outcomes[index - 1].details)
        }
        return lines.joined(separator: "\n")
    }

    /// For programs: an array of objects.
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(outcomes), as: UTF8.self)
    }

    var isPassed: Bool { outcomes.allSatisfy(\.isPassed) }
}
