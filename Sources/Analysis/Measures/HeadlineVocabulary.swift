/// Both lexicons by word, so that each word of a headline is looked up once.
struct HeadlineVocabulary: Sendable {
    /// What is known of a word or a phrase.
    struct Meaning {
        var role: SentimentLexicon.Role?
        var event: NewsEvent?
    }

    /// A phrase by the words after its first.
    struct Phrase {
        var rest: [Int]
        var meaning: Meaning
    }

    /// A word that is in a lexicon, alone or in a phrase.
    struct Word {
        let number: Int
        /// What it means alone.
        var meaning = Meaning()
        /// The phrases that it begins, longest first.
        var phrases: [Phrase] = []
    }

    /// The two lexicons.
    static let shared = HeadlineVocabulary()

    private var words: [String: Word] = [:]

    private init() {
        for (role, terms) in SentimentLexicon.roles {
            for term in terms.split(whereSeparator: \.isWhitespace) { add(term) { $0.role = role } }
        }
        for (event, terms) in NewsEventLexicon.terms {
            for term in terms.split(whereSeparator: \.isWhitespace) {
                // The kinds come in the order of their weight: the first that names a term counts.
                add(term) { $0.event = $0.event ?? event }
            }
        }
        for word in Array(words.keys) { words[word]?.phrases.sort { $0.rest.count > $1.rest.count } }
    }

    /// What is known of a word, in lower case.
    subscript(word: String) -> Word? { words[word] }

    private mutating func add(_ term: Substring, _ set: (inout Meaning) -> Void) {
        let parts = term.split(separator: "_").map(String.init)
        let numbers = parts.map { number($0) }
        guard let first = parts.first, var word = words[first] else { return }
        if numbers.count == 1 {
            set(&word.meaning)
        } else {
            let rest = Array(numbers.dropFirst())
            var phrase = Phrase(rest: rest, meaning: Meaning())
            if let known = word.phrases.firstIndex(where: { $0.rest == rest }) {
                phrase = word.phrases.remove(at: known)
            }
            set(&phrase.meaning)
            word.phrases.append(phrase)
        }
        words[first] = word
    }

    private mutating func number(_ word: String) -> Int {
        if let known = words[word] { return known.number }
        words[word] = Word(number: words.count)
        return words.count - 1
    }
}
