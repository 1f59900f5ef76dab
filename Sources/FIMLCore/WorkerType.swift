/// The eight kinds of analysis workers, by the names that requests, settings and metrics use.
public enum WorkerType: String, CaseIterable, JSONWritable, Sendable {
    case fundamentals, technical, macro, sentiment, correlation, risk, news, options

    /// What the ids of its workers begin with: `fund_` of `fund_0`.
    public var idPrefix: String {
        switch self {
        case .fundamentals: "fund_"
        case .technical: "tech_"
        case .macro: "macro_"
        case .sentiment: "sent_"
        case .correlation: "corr_"
        case .risk: "risk_"
        case .news: "news_"
        case .options: "opt_"
        }
    }
}
