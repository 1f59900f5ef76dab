import FIMLCore

/// What a model may say in a finding's place, beside score and confidence: one text, and labels of which each
/// has its values. The members of `Finding.details` are named so; rules give values out of the same lists.
public struct Interpretable: Hashable, Sendable {
    /// The member that holds the words.
    public var textKey: String
    /// The members that hold labels, and what each may be.
    public var labels: [String: [String]]

    /// What may be said, with every part given.
    public init(textKey: String, labels: [String: [String]]) {
        self.textKey = textKey
        self.labels = labels
    }
}

extension WorkerType {
    /// What a model may say about a finding of this type; nil where it is not asked.
    public var interpretable: Interpretable? {
        switch self {
        case .fundamentals:
            Interpretable(
                textKey: "interpretation",
                labels: [
                    "valuation": ["overvalued", "fairly_valued", "undervalued"],
                    "financial_health": ["excellent", "healthy", "concerning", "poor"],
                ])
        case .technical:
            Interpretable(
                textKey: "pattern_analysis",
                labels: [
                    "trend": ["bullish", "bearish", "neutral"],
                    "signal": ["strong_buy", "buy", "hold", "sell", "strong_sell"],
                ])
        case .macro:
            Interpretable(textKey: "narrative", labels: ["impact": ["positive", "neutral", "negative"]])
        case .risk:
            Interpretable(
                textKey: "risk_assessment", labels: ["risk_level": ["low", "moderate", "high", "very_high"]])
        case .options:
            Interpretable(
                textKey: "interpretation",
                labels: [
                    "sentiment": ["bullish", "neutral", "bearish"],
                    "volatility_outlook": ["compressed", "normal", "elevated", "extreme"],
                ])
        case .sentiment, .correlation, .news: nil
        }
    }
}
