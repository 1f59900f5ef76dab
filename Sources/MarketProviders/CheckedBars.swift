import FIMLCore
import MarketData

/// The bars of one answer, checked one by one, then against each other.
struct CheckedBars {
    /// How far open and close may lie outside of high and low, as a fraction: sources round each by itself.
    static let tolerance = 0.001
    /// More splits in one answer are not believed.
    static let maxSplits = 16

    /// The figures of one bar as they came.
    struct Figures {
        var open: JSONValue?
        var high: JSONValue?
        var low: JSONValue?
        var close: JSONValue?
        var volume: JSONValue?

        /// Whether all prices are `null`, as where nothing was traded.
        var isBlank: Bool { [open, high, low, close].allSatisfy { $0 == .null } }
    }

    /// Reads and remembers what was refused.
    var reader = AnswerReader()
    private let interval: BarInterval
    private var bars: [(place: String, figure: Bar)] = []
    private var splits: [(from: Timestamp, ratio: Double)] = []

    /// No bars yet, all of one length.
    init(every interval: BarInterval) {
        self.interval = interval
    }

    /// Adds a bar, or refuses it. The bar of a day begins with its day in UTC, whenever trade began, so that
    /// the days of different markets fall together.
    mutating func add(_ opensAt: Timestamp?, _ figures: Figures, at place: String) {
        guard let opensAt,
            let open = reader.price(figures.open, at: "\(place).open"),
            let high = reader.price(figures.high, at: "\(place).high"),
            let low = reader.price(figures.low, at: "\(place).low"),
            let close = reader.price(figures.close, at: "\(place).close")
        else { return }
        guard low <= high, min(open, close) >= low * (1 - Self.tolerance),
            max(open, close) <= high * (1 + Self.tolerance)
        else {
            reader.refuse(place, "has a high, low, open and close that contradict each other")
            return
        }
        let bar = Bar(
            opensAt: interval == .day ? opensAt.dayStart : opensAt, intervalSeconds: interval.seconds,
            open: open, high: high, low: low, close: close,
            volume: reader.optionalAmount(figures.volume, at: "\(place).volume"))
        bars.append((place, bar))
    }

    /// Adds a split: from that moment on there are `ratio` shares for each one before.
    mutating func addSplit(from moment: Timestamp, ratio: Double, at place: String) {
        guard (0.001...1_000).contains(ratio), splits.count < Self.maxSplits else {
            reader.refuse(place, "is not a split that can be believed")
            return
        }
        if ratio != 1 { splits.append((interval == .day ? moment.dayStart : moment, ratio)) }
    }

    /// The newest bars, oldest first, at most `limit`. Throws where there is none.
    func decoded(limit: Int) throws(MarketDataError) -> Decoded<[Bar]> {
        var reader = reader
        var ordered = reader.chronological(bars) { $0.opensAt }
        for split in splits {
            Self.apply(split.ratio, from: split.from, to: &ordered)
        }
        return try reader.nonEmpty(ordered.suffix(Self.bounded(limit)), "bars")
    }

    /// A limit that makes sense: 1 to 5,000.
    static func bounded(_ limit: Int) -> Int { min(max(limit, 1), 5_000) }

    /// Puts the bars before a split into the shares after it, so that the split does not look like a crash.
    ///
    /// Yahoo's prices mostly are in today's shares already, but not always on the first days; so the split is
    /// applied only where the jump is still there: nearer to the ratio than to 1, on a scale of ratios.
    private static func apply(_ ratio: Double, from moment: Timestamp, to bars: inout [Bar]) {
        guard let first = bars.firstIndex(where: { $0.opensAt >= moment }), first > 0 else { return }
        let jump = bars[first - 1].close / bars[first].open
        let middle = ratio.squareRoot()
        guard ratio > 1 ? jump > middle : jump < middle,
            bars[..<first].allSatisfy({ $0.low / ratio > .leastNormalMagnitude })
        else { return }
        for index in 0..<first {
            bars[index].open /= ratio
            bars[index].high /= ratio
            bars[index].low /= ratio
            bars[index].close /= ratio
            bars[index].volume = bars[index].volume.map { $0 * ratio }
        }
    }
}
