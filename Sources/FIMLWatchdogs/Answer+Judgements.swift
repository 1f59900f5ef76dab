import FIMLCore
import MarketData

extension Sequence {
    /// What `judge` finds in the figures of each asset, in the order of the answers; an asset whose source
    /// failed does not spoil the rest. Throws the first failure when nothing could be judged.
    func judgements<Figures>(
        _ judge: (Asset, Figures) -> [Judgement]
    ) throws(MarketDataError) -> [Judgement] where Element == Answer<Figures> {
        var judgements: [Judgement] = []
        var firstFailure: MarketDataError?
        for answer in self {
            switch answer.result {
            case .success(let figures): judgements += judge(answer.asset, figures)
            case .failure(let error): firstFailure = firstFailure ?? error
            }
        }
        if judgements.isEmpty, let firstFailure { throw firstFailure }
        return judgements
    }
}
