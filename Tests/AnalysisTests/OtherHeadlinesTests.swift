import Testing

@testable import Analysis

@Suite(
    "Headlines that the lexicon was not written by are read as a reader would, but for those that are listed")
struct OtherHeadlinesTests {
    /// In the manner of news agencies, written after the lexicon; what each says for a holder. When they were
    /// first tried, 35 of the 40 were read right.
    private static let labelled: [(String, Int)] = [
        ("Nvidia shares jump 8% after blowout earnings", 1),
        ("Tesla deliveries fall short of Wall Street targets", -1),
        ("Boeing to cut 17,000 jobs as losses deepen", -1),
        ("Pfizer drug wins FDA approval", 1),
        ("Intel suspends dividend, announces layoffs", -1),
        ("Netflix adds more subscribers than expected", 1),
        ("Oil prices slide on demand worries", -1),
        ("Microsoft to buy back $60 billion in stock, raises dividend", 1),
        ("SEC charges crypto exchange with fraud", -1),
        ("Ford recalls 550,000 trucks over transmission defect", -1),
        ("Amazon's cloud growth accelerates, easing investor fears", 1),
        ("Disney CEO steps down amid board dispute", -1),
        ("Consumer confidence drops to two-year low", -1),
        ("US jobless claims fall unexpectedly", 1),
        ("Bank of America profit tops forecasts on trading surge", 1),
        ("Walmart lowers full-year profit forecast", -1),
        ("Moderna stock sinks as trial disappoints", -1),
        ("GM lifts 2024 outlook after strong quarter", 1),
        ("Analysts see no upside in Peloton", -1),
        ("Why Starbucks stock is struggling", -1),
        ("Meta hit with record fine by EU regulators", -1),
        ("AMD unveils new AI chips", 1),
        ("Wells Fargo upgrades Delta to overweight", 1),
        ("Morgan Stanley cuts Nike price target to $79", -1),
        ("Lyft's outlook fails to impress investors", -1),
        ("Costco sales rise 7% in November", 1),
        ("Credit Suisse shares plunge to all-time low", -1),
        ("Ether outperforms bitcoin as ETF inflows surge", 1),
        ("Hackers steal $200 million from crypto bridge", -1),
        ("Inflation eases more than expected in July", 1),
        ("Home Depot sales miss as consumers pull back", -1),
        ("Uber posts first annual profit as public company", 1),
        ("Rivian narrows quarterly loss, reaffirms production target", 1),
        ("Apple to hold event on September 12", 0),
        ("Treasury yields little changed before Fed minutes", 0),
        ("Alphabet schedules annual shareholder meeting", 0),
        ("Zoom never recovered from pandemic slump", -1),
        ("Airline not immune to rising fuel costs", -1),
        ("Adobe abandons $20 billion Figma takeover", -1),
        ("Gold steadies near record high", 1),
    ]

    /// What is not read right, and why.
    private static let misread: [String: String] = [
        "Netflix adds more subscribers than expected": "more than expected is good of some things only",
        "Airline not immune to rising fuel costs": "the negation is of immune, which is in no lexicon",
    ]

    @Test("The sign is a reader's", arguments: labelled)
    func sign(title: String, expected: Int) {
        let score = HeadlineSentiment(Headline(title)).score
        let sign = score >= 0.05 ? 1 : score <= -0.05 ? -1 : 0
        #expect((sign == expected) == (Self.misread[title] == nil), "\(score)")
    }
}
