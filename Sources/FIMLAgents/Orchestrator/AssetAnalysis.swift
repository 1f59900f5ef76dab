import Analysis
import FIMLCore

/// What to do, by the overall score.
public enum Recommendation: String, CaseIterable, JSONWritable, Sendable {
    case strongBuy = "strong_buy"
    case buy, hold, sell
    case strongSell = "strong_sell"

    /// From 7.5 on a strong buy, from 6.5 a buy, from 5.5 a hold, from 4.5 a sell, else a strong sell.
    init(score: Double) {
        self =
            score >= 7.5
            ? .strongBuy : score >= 6.5 ? .buy : score >= 5.5 ? .hold : score >= 4.5 ? .sell : .strongSell
    }
}

/// The verdict of several workers.
///
/// The overall score is the mean of the scores that came, each weighted by its type's weight times its
/// confidence. A worker that did not answer does not count, and `coverage` says so.
public struct Aggregate: Sendable {
    /// What a type weighs where all are fully confident. Company and price weigh most, risk next; what two
    /// others share in (correlation) least.
    public static let weights: [WorkerType: Double] = [
        .fundamentals: 0.20, .technical: 0.20, .risk: 0.15, .macro: 0.10, .sentiment: 0.10, .news: 0.10,
        .options: 0.10, .correlation: 0.05,
    ]

    /// 0…10; nil where no worker answered, or none with any confidence.
    public let overallScore: Double?
    /// What to do; nil where there is no score.
    public let recommendation: Recommendation?
    /// The scores that came.
    public let scores: [WorkerType: Double]
    /// What each of them weighed; together 1.
    public let appliedWeights: [WorkerType: Double]
    /// How many workers were asked.
    public let asked: Int

    /// How many answered with a finding.
    public var agentCount: Int { scores.count }

    init(_ results: [WorkerResult]) {
        let answered = results.compactMap { result in result.finding.map { (result.type, $0) } }
        asked = results.count
        scores = Dictionary(answered.map { ($0, $1.score) }) { first, _ in first }
        let weighed = answered.map { ($0, (Self.weights[$0] ?? 0) * $1.confidence) }
        let total = weighed.reduce(0) { $0 + $1.1 }
        guard total > 0 else {
            (overallScore, recommendation, appliedWeights) = (nil, nil, [:])
            return
        }
        appliedWeights = Dictionary(weighed.map { ($0, $1 / total) }) { first, _ in first }
        let sum = zip(answered, weighed).reduce(0) { $0 + $1.0.1.score * $1.1.1 }
        // Rounded, so that 7.5 is no 7.499… where a bound is met exactly.
        let score = (sum / total * 1e9).rounded() / 1e9
        overallScore = score
        recommendation = Recommendation(score: score)
    }
}

extension Aggregate: JSONWritable {
    /// Writes it by FIML's names, with `coverage` and `weights` beside.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("overall_score", orNull: overallScore)
        writer.member("recommendation", orNull: recommendation)
        writer.member("agent_count", agentCount)
        writer.member("scores", scores)
        writer.name("coverage")
        writer.beginObject()
        writer.member("answered", agentCount)
        writer.member("asked", asked)
        writer.member("fraction", asked == 0 ? 0 : Double(agentCount) / Double(asked))
        writer.endObject()
        writer.member("weights", appliedWeights)
        writer.endObject()
    }
}

/// An asset, judged by several workers.
public struct AssetAnalysis: Sendable {
    /// What was judged.
    public let asset: Asset
    /// One for each worker that was asked, in the order of the types.
    public let results: [WorkerResult]
    /// The verdict.
    public let aggregate: Aggregate
    /// When it was complete.
    public let timestamp: Timestamp

    init(_ asset: Asset, _ results: [WorkerResult], at timestamp: Timestamp) {
        self.asset = asset
        let order = WorkerType.allCases
        self.results = results.sorted {
            order.firstIndex(of: $0.type) ?? 0 < order.firstIndex(of: $1.type) ?? 0
        }
        // In the order of the types, too: sums in the order in which workers happened to end differ in their
        // last digits, and so the same judgements would be told by other weights.
        aggregate = Aggregate(self.results)
        self.timestamp = timestamp
    }

    /// The result of one type; nil where it was not asked.
    public subscript(type: WorkerType) -> WorkerResult? {
        results.first { $0.type == type }
    }
}

extension AssetAnalysis: JSONWritable {
    /// Writes the object that `POST /analysis` answers.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("asset", asset.symbol)
        writer.member("asset_type", asset.assetType)
        writer.name("analyses")
        writer.beginObject()
        for result in results { writer.member(result.type.rawValue, result) }
        writer.endObject()
        writer.member("aggregate", aggregate)
        writer.member("timestamp", timestamp)
        writer.endObject()
    }
}

extension [WorkerType: Double]: JSONWritable {
    /// Writes one member for each type that is there, in the order of the types.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for type in WorkerType.allCases { writer.member(type.rawValue, ifPresent: self[type]) }
        writer.endObject()
    }
}
