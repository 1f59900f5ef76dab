import Analysis
import FIMLCore

/// What a language model answered, read strictly: what is not exactly as asked is no answer.
struct ModelAnswer: Hashable {
    /// Why an answer cannot be used. Nothing in it is quoted from the answer, which may repeat the key.
    enum Failure: Error, Hashable {
        /// The service would not say anything about this.
        case refused
        /// It is not as asked, for that reason.
        case unusable(String)
    }

    /// Longer words are not taken, in Unicode scalars.
    static let maxText = 1_000
    /// What `usage` says beyond this is not believed.
    static let maxTokens = 1_000_000

    /// 0 to 10.
    var score: Double
    /// 0 to 1.
    var confidence: Double
    var text: String
    /// A value for each label, one of those that it may have.
    var labels: [String: String]

    /// Reads the answer out of a chat completion that came with status 200.
    init(_ completion: JSONValue, for interpretable: Interpretable) throws(Failure) {
        guard let choice = completion["choices"]?.elements?.first else {
            throw .unusable("the answer has no choice")
        }
        switch choice["finish_reason"]?.text {
        case "stop": break
        case "content_filter": throw .refused
        case "length": throw .unusable("the answer was longer than it may be")
        case .some, nil: throw .unusable("the answer did not end by itself")
        }
        if let refusal = choice["message"]?["refusal"], refusal != .null { throw .refused }
        guard let content = choice["message"]?["content"]?.text else {
            throw .unusable("the answer has no content")
        }
        guard let value = try? JSONValue.parse(Array(content.utf8), maxDepth: 4) else {
            throw .unusable("what the model said is not JSON")
        }
        try self.init(content: value, for: interpretable)
    }

    private init(content: JSONValue, for interpretable: Interpretable) throws(Failure) {
        guard let members = content.members, Set(members.keys) == ["score", "confidence", "text", "labels"]
        else { throw .unusable("what the model said does not have the members that it must") }
        guard let score = members["score"]?.double, (0...10).contains(score) else {
            throw .unusable("the model's score is not 0 to 10")
        }
        guard let confidence = members["confidence"]?.double, (0...1).contains(confidence) else {
            throw .unusable("the model's confidence is not 0 to 1")
        }
        guard let text = members["text"]?.text, Self.isParagraph(text) else {
            throw .unusable("the model's text is not 1 to \(Self.maxText) characters of one paragraph")
        }
        guard let labels = members["labels"]?.members, Set(labels.keys) == Set(interpretable.labels.keys)
        else { throw .unusable("the model's labels are not those that it must give") }
        self.labels = [:]
        for (name, allowed) in interpretable.labels {
            guard let label = labels[name]?.text, allowed.contains(label) else {
                throw .unusable("the model's \(name) is none that it may be")
            }
            self.labels[name] = label
        }
        (self.score, self.confidence, self.text) = (score, confidence, text)
    }

    /// Visible, short, and without what could move a terminal's cursor or a line's direction.
    private static func isParagraph(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        guard scalars.count <= maxText, scalars.contains(where: { !$0.properties.isWhitespace }) else {
            return false
        }
        return scalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
                .unassigned:
                false
            default: true
            }
        }
    }

    /// Tokens that a completion took by its own account; nil where it gives none that can be.
    static func tokens(_ completion: JSONValue) -> Int? {
        guard let tokens = completion["usage"]?["total_tokens"]?.int64,
            (0...Int64(maxTokens)).contains(tokens)
        else { return nil }
        return Int(tokens)
    }

    /// The finding with the model's score, words and labels; every figure stays as it was computed. A label
    /// that the figures did not allow stays away, and the model may be less confident than they, not more.
    func applied(to finding: Finding, _ interpretable: Interpretable) -> Finding {
        var details = finding.details
        details[interpretable.textKey] = .string(text)
        for (name, label) in labels where details[name]?.text != nil { details[name] = .string(label) }
        return Finding(
            score: score, confidence: min(confidence, finding.confidence), asOf: finding.asOf,
            details: details, missing: finding.missing)
    }
}
