import FIMLCore

/// The eight workers.
public enum WorkerSet {
    /// The worker of that type.
    public static func worker(_ type: WorkerType) -> any Worker {
        switch type {
        case .fundamentals: FundamentalsWorker()
        case .technical: TechnicalWorker()
        case .macro: MacroWorker()
        case .sentiment: SentimentWorker()
        case .correlation: CorrelationWorker()
        case .risk: RiskWorker()
        case .news: NewsWorker()
        case .options: OptionsWorker()
        }
    }
}
