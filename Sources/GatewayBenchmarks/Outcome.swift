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

    private static func text(_ value: Double, _ digits: Int) -> String {
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
