/// A headline as words, with what the lexicons know of each.
///
/// Words are runs of letters, digits and apostrophes; letters of other scripts count as such, and "3.5" is
/// one word. Only the first `maxBytes` are read, and `maxWords` of them.
struct Headline {
    /// A word.
    struct Token {
        /// What is known of it; nil for most.
        var word: HeadlineVocabulary.Word?
        /// Whether it is written in capitals, three letters or more.
        var isShouted: Bool
        /// Whether a comma, a colon or the like separates it from the word before.
        var beginsClause: Bool
    }

    /// Providers cut headlines off at 500 characters; what is longer is not a headline.
    static let maxBytes = 1_024
    static let maxWords = 160

    private(set) var tokens: [Token] = []
    /// The words in lower case with one space between: equal for headlines that differ in typography only.
    private(set) var key = ""
    private(set) var isQuestion = false
    private(set) var exclamations = 0
    /// Whether all of it is in capitals, so that capitals stress nothing.
    private(set) var isAllShouted = true

    /// Reads a headline, whatever it is.
    init(_ title: String, _ vocabulary: HeadlineVocabulary = .shared) {
        var bytes = Array(title.utf8.prefix(Self.maxBytes))
        Self.simplify(&bytes)
        tokens.reserveCapacity(24)
        key.reserveCapacity(bytes.count)
        var start: Int?
        var beginsClause = false
        // A zero, which separates, ends the last word.
        bytes.append(0)
        let lower = bytes.map { Self.isCapital($0) ? $0 | 0x20 : $0 }
        for index in bytes.indices {
            if Self.isWord(bytes, index) {
                start = start ?? index
                continue
            }
            if let first = start {
                add(lower[first..<index], bytes[first..<index], beginsClause, vocabulary)
                (start, beginsClause) = (nil, false)
            }
            switch bytes[index] {
            case UInt8(ascii: "?"): isQuestion = true
            case UInt8(ascii: "!"): exclamations += 1
            default: break
            }
            beginsClause = beginsClause || ",;:.!?()|".utf8.contains(bytes[index])
        }
    }

    private mutating func add(
        _ lower: ArraySlice<UInt8>, _ original: ArraySlice<UInt8>, _ beginsClause: Bool,
        _ vocabulary: HeadlineVocabulary
    ) {
        guard tokens.count < Self.maxWords else { return }
        let text = String(decoding: lower, as: UTF8.self)
        let isShouted = original.count >= 3 && original.allSatisfy(Self.isCapital)
        isAllShouted = isAllShouted && (isShouted || original.count < 3)
        tokens.append(
            Token(
                word: vocabulary[text] ?? Self.possessor(text).flatMap { vocabulary[$0] },
                isShouted: isShouted, beginsClause: beginsClause))
        if !key.isEmpty { key.append(" ") }
        key.append(text)
    }

    /// "inflation" of "inflation's".
    private static func possessor(_ word: String) -> String? {
        word.hasSuffix("'s") ? String(word.dropLast(2)) : nil
    }

    /// Makes ’ (E2 80 99) an apostrophe, other general punctuation (E2 80 xx) and the no-break space (C2 A0)
    /// spaces; a dash between words begins a clause.
    private static func simplify(_ bytes: inout [UInt8]) {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return }
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let rest = bytes[index...]
            if rest.starts(with: [0xE2, 0x80]) {
                let isDash = rest.count > 2 && [0x93, 0x94].contains(rest[index + 2])
                let isApostrophe = rest.count > 2 && [0x98, 0x99].contains(rest[index + 2])
                kept.append(UInt8(ascii: isApostrophe ? "'" : isDash ? ";" : " "))
                index += min(3, rest.count)
            } else if rest.starts(with: [0xC2, 0xA0]) {
                kept.append(UInt8(ascii: " "))
                index += 2
            } else {
                kept.append(bytes[index])
                index += 1
            }
        }
        bytes = kept
    }

    private static func isWord(_ bytes: [UInt8], _ index: Int) -> Bool {
        let byte = bytes[index]
        if isAlphanumeric(byte) { return true }
        guard index > 0, index + 1 < bytes.count else { return false }
        switch byte {
        case UInt8(ascii: "'"): return isAlphanumeric(bytes[index - 1]) && isAlphanumeric(bytes[index + 1])
        case UInt8(ascii: "."), UInt8(ascii: ","):
            return isDigit(bytes[index - 1]) && isDigit(bytes[index + 1])
        default: return false
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte >= 0x80 || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isCapital(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
