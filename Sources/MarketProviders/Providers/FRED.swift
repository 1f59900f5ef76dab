import FIMLCore
import MarketData

/// FRED of the Federal Reserve Bank of St. Louis: figures of the US economy.
public enum FRED {
    /// So many of the newest observations are asked for: ten years of months, thirty of quarters.
    static let observations = 120

    /// The observations of an indicator, oldest first.
    public static func observations(of indicator: MacroIndicator, key: String) -> Endpoint<
        [MacroObservation]
    >? {
        let request = ProviderRequest(
            "/fred/series/observations",
            query: [
                ["series_id", series(of: indicator)], ["api_key", key], ["file_type", "json"],
                ["sort_order", "desc"], ["limit", "\(observations)"],
            ])
        return Endpoint(.fred, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let message = answer["error_message"]?.text {
                throw MarketDataError("FRED says: \(message.prefix(200))")
            }
            return try readObservations(answer["observations"])
        }
    }

    /// The observations of a list of `date` and `value`, in either order. A value that is missing, which FRED
    /// writes as a point, is left out without a reason.
    static func readObservations(_ list: JSONValue?) throws(MarketDataError) -> Decoded<[MacroObservation]> {
        guard let list = list?.elements else {
            throw MarketDataError("the answer has no list of observations")
        }
        var reader = AnswerReader()
        var observations: [(place: String, figure: MacroObservation)] = []
        for (index, item) in list.enumerated() {
            let place = "observations[\(index)]"
            guard let value = reader.optional(item["value"], at: "\(place).value"),
                let period = reader.day(item["date"], at: "\(place).date")
            else { continue }
            observations.append((place, MacroObservation(period: period, value: value)))
        }
        let ordered = reader.chronological(observations) { $0.period }
        return try reader.nonEmpty(ordered, "observations")
    }

    private static func series(of indicator: MacroIndicator) -> String {
        switch indicator {
        case .interestRate: "FEDFUNDS"
        case .consumerPrices: "CPIAUCSL"
        case .realGrowth: "A191RL1Q225SBEA"
        case .unemployment: "UNRATE"
        }
    }
}
