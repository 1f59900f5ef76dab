/// How good or bad a headline sounds for who holds the asset that it is about.
///
/// A lexicon method in the manner of Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment
/// Analysis of Social Media Text", ICWSM 2014, with a lexicon for finance of our own (`SentimentLexicon`) and
/// rules of finance beside theirs. The valences of all terms, changed as follows, are added to s, and the
/// sentiment is s / √(s² + 15), in −1...1.
///
/// 1. A phrase counts in place of its words: "price target" says nothing, "guidance cut" is bad.
/// 2. What moves says nothing by itself: of a burden the movement is turned around ("costs fall", "narrows
///    loss", "fears ease"), of a boon it is not ("profit falls"). The movement is the first of up to 3 words
///    after it, else of up to 3 before, in the same part of the sentence.
/// 3. A term is stressed (theirs: by 0.293 for each adverb of degree up to 2 words before, the farther by a
///    twentieth less; ours: also the word after it, "falls sharply"), or by 0.733 when it alone is in
///    capitals.
/// 4. A negation up to 4 words before (theirs: 3), in the same part of the sentence, multiplies by −0.74.
/// 5. What is before "but" counts half, what is after it one and a half times; what is conceded ("despite")
///    half.
/// 6. Each exclamation mark, up to 4, adds 0.292; a question counts half, for it claims nothing (ours).
///
/// The constants of 3 to 6 but for those called ours, and the 15, are those that the paper found.
struct HeadlineSentiment {
    private static let capitals = 0.733
    private static let exclamation = 0.292
    private static let negated = -0.74
    private static let normalization = 15.0

    /// −1, bad, to 1, good.
    private(set) var score = 0.0
    /// Whether there is any term in the headline that the lexicon knows as good or bad.
    private(set) var isJudged = false

    private let tokens: [Headline.Token]
    /// What each token does; a phrase does it at its first.
    private var roles: [SentimentLexicon.Role?]
    /// Whether another part of the sentence begins there.
    private var begins: [Bool]

    /// Judges a headline.
    init(_ headline: Headline) {
        tokens = headline.tokens
        roles = Array(repeating: nil, count: tokens.count)
        begins = tokens.map(\.beginsClause)
        findRoles()
        var valences = self.valences()
        for (index, valence) in valences.enumerated() where valence != 0 {
            isJudged = true
            valences[index] = stressed(valence, at: index, inCapitals: !headline.isAllShouted)
            valences[index] *= negation(at: index)
        }
        weigh(&valences)
        var sum = valences.reduce(0, +)
        if sum != 0 {
            sum += Double(min(headline.exclamations, 4)) * (sum < 0 ? -Self.exclamation : Self.exclamation)
        }
        if headline.isQuestion { sum /= 2 }
        score = sum / (sum * sum + Self.normalization).squareRoot()
    }

    private mutating func findRoles() {
        var index = 0
        while index < tokens.count {
            guard let word = tokens[index].word else {
                index += 1
                continue
            }
            var (role, length) = (word.meaning.role, 1)
            for phrase in word.phrases where phrase.meaning.role != nil {
                guard Self.matches(phrase, tokens, after: index) else { continue }
                (role, length) = (phrase.meaning.role, phrase.rest.count + 1)
                break
            }
            roles[index] = role
            switch role {
            case .clause, .contrast, .concession: begins[index] = true
            case .valence, .movement, .burden, .boon, .degree, .negation, .nothing, nil: break
            }
            index += length
        }
    }

    /// Whether the words after one go on as the phrase does.
    static func matches(_ phrase: HeadlineVocabulary.Phrase, _ tokens: [Headline.Token], after index: Int)
        -> Bool
    {
        guard index + phrase.rest.count < tokens.count else { return false }
        return zip(tokens[(index + 1)...], phrase.rest).allSatisfy { $0.word?.number == $1 }
    }

    /// The indices up to `count` before one in the same part of the sentence, nearest first.
    private func before(_ index: Int, _ count: Int) -> [Int] {
        var (found, place) = ([Int](), index)
        while found.count < count, place > 0, !begins[place] {
            place -= 1
            found.append(place)
        }
        return found
    }

    /// The indices up to `count` after one in the same part of the sentence, nearest first.
    private func after(_ index: Int, _ count: Int) -> [Int] {
        Array((index + 1..<max(index + 1, min(index + 1 + count, tokens.count))).prefix { !begins[$0] })
    }

    /// What each term says by itself, and what moves by rule 2.
    private func valences() -> [Double] {
        var valences = Array(repeating: 0.0, count: tokens.count)
        var inverted: Set<Int> = []
        for (index, role) in roles.enumerated() {
            switch role {
            case .valence(let valence), .movement(let valence), .negation(let valence):
                valences[index] = valence
            case .burden(let valence):
                if let movement = movement(of: index) {
                    inverted.insert(movement)
                } else {
                    valences[index] = valence
                }
            case .boon(let valence):
                if movement(of: index) == nil { valences[index] = valence }
            case .degree, .contrast, .concession, .clause, .nothing, nil: break
            }
        }
        for index in inverted { valences[index].negate() }
        return valences
    }

    /// The word that says how what is named there moves; nil where none does.
    private func movement(of index: Int) -> Int? {
        (after(index, 3) + before(index, 3)).first {
            if case .movement = roles[$0] { true } else { false }
        }
    }

    /// Rule 3.
    private func stressed(_ valence: Double, at index: Int, inCapitals: Bool) -> Double {
        var strength = abs(valence)
        for (distance, place) in before(index, 2).enumerated() {
            if case .degree(let step) = roles[place] { strength += step * (1 - 0.05 * Double(distance)) }
        }
        if let next = after(index, 1).first, case .degree(let step) = roles[next] { strength += step }
        if inCapitals, tokens[index].isShouted { strength += Self.capitals }
        return valence < 0 ? -max(0, strength) : max(0, strength)
    }

    /// Rule 4: what a term is multiplied by.
    private func negation(at index: Int) -> Double {
        before(index, 4).reduce(1) { product, place in
            if case .negation = roles[place] { product * Self.negated } else { product }
        }
    }

    /// Rule 5.
    private func weigh(_ valences: inout [Double]) {
        let contrast = roles.lastIndex(of: .contrast)
        var isConceded = false
        for index in valences.indices {
            if tokens[index].beginsClause || roles[index] == .contrast { isConceded = false }
            if roles[index] == .concession { isConceded = true }
            if isConceded { valences[index] *= 0.5 }
            if let contrast { valences[index] *= index < contrast ? 0.5 : 1.5 }
        }
    }
}
