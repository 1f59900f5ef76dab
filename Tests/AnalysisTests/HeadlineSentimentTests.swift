import Testing

@testable import Analysis

@Suite("A headline is as good or bad as a reader of finance would say")
struct HeadlineSentimentTests {
    private func score(_ title: String) -> Double { HeadlineSentiment(Headline(title)).score }

    /// Headlines written for this test, and what each says for a holder: 1 good, −1 bad, 0 nothing.
    private static let labelled: [(String, Int)] = [
        ("Acme beats estimates on strong cloud demand", 1),
        ("Acme misses estimates, shares tumble", -1),
        ("Acme is not profitable", -1),
        ("Acme fails to beat expectations", -1),
        ("Acme isn\u{2019}t expected to grow profits", -1),
        ("Acme avoids bankruptcy", 1),
        ("Acme averts strike", 1),
        ("Regulator never approved the drug", -1),
        ("Acme beats expectations but guidance cut", -1),
        ("Acme misses estimates, but raises guidance on strong demand", 1),
        ("Acme costs fall", 1),
        ("Costs rise at Acme", -1),
        ("Acme profit falls", -1),
        ("Acme profit rises", 1),
        ("Growth slows at Acme", -1),
        ("Inflation slows", 1),
        ("Demand for widgets drops", -1),
        ("Acme's losses mount", -1),
        ("Hopes fade for Acme", -1),
        ("Weak demand hurts Acme", -1),
        ("Acme trims costs as profit drops", 0),
        ("Acme narrows loss", 1),
        ("Acme's quarterly loss widens", -1),
        ("Inflation cools", 1),
        ("Shares fall as inflation rises", -1),
        ("Stocks rise as inflation fears ease", 1),
        ("Deal raises concerns", -1),
        ("Bitcoin falls below $95,000", -1),
        ("Stocks fall on inflation", -1),
        ("Acme shares soar despite lawsuit", 1),
        ("Acme upgraded to buy", 1),
        ("Acme cut to sell after profit warning", -1),
        ("Acme files for Chapter 11", -1),
        ("Acme hits record high", 1),
        ("Acme shares hit record low", -1),
        ("Acme raises dividend", 1),
        ("Acme cuts dividend", -1),
        ("Bank cuts price target on Acme, keeps equalweight", -1),
        ("Acme data breach exposes millions", -1),
        ("Acme loses lawsuit", -1),
        ("Fed signals rate cut", 1),
        ("Fed signals rate hike", -1),
        ("Acme to report earnings on Tuesday", 0),
        ("Analyst sets price target of $203 on Acme", 0),
        ("What is a hedge fund?", 0),
        ("Acme holds annual meeting", 0),
        ("", 0),
        ("??? !!! ...", 0),
    ]

    @Test("The sign is a reader's", arguments: labelled)
    func sign(title: String, expected: Int) {
        let score = score(title)
        #expect((score >= 0.05 ? 1 : score <= -0.05 ? -1 : 0) == expected, "\(score)")
    }

    /// Headlines and their sentiments, added up by hand from the lexicon and the documented rules.
    private static let figures: [(String, Double)] = [
        ("Profit at Acme", 0.361157559257),
        ("Acme soars", 0.542326144547),
        ("Acme not profitable", -0.356959318864),
        ("Acme falls sharply", -0.420114336221),
        ("Acme slightly weaker", -0.29753216879),
        ("Acme PROFIT", 0.499485219775),
        ("ACME PROFIT", 0.361157559257),
        ("Acme beats expectations but guidance cut", -0.458831467741),
        ("Acme profit?", 0.190117275157),
        ("Acme profit!!", 0.473843764624),
        ("Acme sued!!!!!!", -0.567297277337),
        ("Costs fall", 0.361157559257),
        ("Acme deeply unprofitable", -0.316669794915),
        ("Acme very deeply unprofitable", -0.37595611836),
        ("Rising inflation cools", 0.612372435696),
        ("Huge, weak Acme", -0.361157559257),
        ("Acme soars despite lawsuit", 0.411764705882),
        ("Acme price target cut", -0.361157559257),
        ("Acme fails to beat", -0.539252774431),
        ("Acme meets", 0.0),
    ]

    @Test("The figure is the one that the documented rules give", arguments: figures)
    func figure(title: String, expected: Double) {
        #expect(abs(score(title) - expected) < 1e-9)
    }
}
