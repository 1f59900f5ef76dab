/// The words behind a command, told apart: `--flag value`, `--flag=value`, `--switch`, and operands.
public struct Arguments: Equatable, Sendable {
    /// A flag that a command knows.
    public enum Flag: Sendable {
        /// Stands alone.
        case toggle(String)
        /// Is followed by a value; may be given once.
        case value(String)
        /// Is followed by a value; may be given several times.
        case list(String)

        var name: String {
            switch self {
            case .toggle(let name), .value(let name), .list(let name): name
            }
        }
    }

    /// What stands by itself, in order.
    public private(set) var operands: [String] = []
    private var values: [String: [String]] = [:]

    /// Tells the words apart; everything behind `--` is an operand.
    ///
    /// - Parameters:
    ///   - words: what follows the command.
    ///   - command: its name, for errors.
    ///   - flags: those it knows.
    ///   - operandName: what its operands are called; nil where it takes none.
    public init(
        _ words: some Sequence<String>, of command: String, flags: [Flag], operandName: String? = nil
    ) throws(UsageError) {
        var words = Array(words)[...]
        while let word = words.popFirst() {
            if word == "--", operandName != nil {
                operands += words
                return
            }
            guard word.hasPrefix("-"), word != "-" else {
                guard operandName != nil else {
                    throw UsageError("\(command) takes no argument '\(word)'; \(Self.allowed(flags))")
                }
                operands.append(word)
                continue
            }
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let flag = flags.first(where: { $0.name == name }) else {
                throw UsageError("unknown flag \(name) of \(command); \(Self.allowed(flags))")
            }
            let inlineValue = parts.count == 2 ? String(parts[1]) : nil
            try take(flag, inlineValue, &words)
        }
    }

    /// Whether a toggle was given.
    public func has(_ name: String) -> Bool {
        values[name] != nil
    }

    /// The value of a flag that may be given once.
    public func value(_ name: String) -> String? {
        values[name]?.first
    }

    /// The values of a flag in their order.
    public func values(_ name: String) -> [String] {
        values[name] ?? []
    }

    /// The value of a flag as a whole number in a range.
    public func integer(_ name: String, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let allowed = "a whole number from \(range.lowerBound) to \(range.upperBound)"
            throw UsageError("\(name) \(text) is not allowed: \(allowed)")
        }
        return number
    }

    private mutating func take(
        _ flag: Flag, _ inlineValue: String?, _ words: inout ArraySlice<String>
    ) throws(UsageError) {
        switch flag {
        case .toggle(let name):
            guard inlineValue == nil else { throw UsageError("\(name) takes no value") }
            values[name] = []
        case .value(let name), .list(let name):
            guard let value = inlineValue ?? words.popFirst() else {
                throw UsageError("\(name) needs a value behind it")
            }
            if case .value = flag, values[name] != nil { throw UsageError("\(name) may be given once") }
            values[name, default: []].append(value)
        }
    }

    private static func allowed(_ flags: [Flag]) -> String {
        "allowed: \(flags.map(\.name).joined(separator: ", "))"
    }
}
