/// One setting as a user sees it: its name, what it may be, what it is for, and how it gets into `Settings`.
public struct Setting: Sendable {
    /// The kind of value, by the word that `print-config --json` uses.
    public enum Kind: String, Sendable {
        case bool, integer, decimal, text, path, choice, duration, date, origins, list
    }

    /// A property of `Settings`.
    typealias Property<Value> = WritableKeyPath<Settings, Value> & Sendable

    /// The environment variable.
    public let name: String
    /// The kind of value.
    public let kind: Kind
    /// What a number counts.
    public let unit: String?
    /// The words behind "is not allowed:".
    public let allowed: String
    /// What it is for, in one line.
    public let summary: String
    /// Whether its value must not be shown.
    public let isSecret: Bool
    /// The text that gives this setting the value it has in `settings`; empty is "not set".
    public let text: @Sendable (_ settings: Settings) -> String
    /// Puts a text's value into the settings; false where it is not allowed.
    public let assign: @Sendable (_ text: String, _ settings: inout Settings) -> Bool

    /// The default as a user would write it; empty is "not set".
    public var defaultText: String { text(Settings()) }

    /// Any setting from the two directions of its conversion; `value` gives nil for what is not allowed.
    init<Value>(
        _ name: String, _ property: Property<Value>, kind: Kind, unit: String? = nil, allowed: String,
        isSecret: Bool = false,
        _ summary: String, value: @escaping @Sendable (String) -> Value?,
        text: @escaping @Sendable (Value) -> String
    ) {
        (self.name, self.kind, self.unit, self.allowed) = (name, kind, unit, allowed)
        (self.summary, self.isSecret) = (summary, isSecret)
        self.text = { settings in text(settings[keyPath: property]) }
        assign = { input, settings in
            guard let value = value(input) else { return false }
            settings[keyPath: property] = value
            return true
        }
    }
}

extension Setting {
    /// `true` or `false`, and the other words that FIML takes for them.
    static func bool(_ name: String, _ property: Property<Bool>, _ summary: String) -> Setting {
        let words = [
            "true": true, "1": true, "yes": true, "on": true, "false": false, "0": false, "no": false,
            "off": false,
        ]
        return Setting(
            name, property, kind: .bool, allowed: "true or false", summary,
            value: { words[$0.lowercased()] }, text: { $0 ? "true" : "false" })
    }

    /// A whole number in a range.
    static func integer(
        _ name: String, _ property: Property<Int>, _ range: ClosedRange<Int>, unit: String, _ summary: String
    ) -> Setting {
        Setting(
            name, property, kind: .integer, unit: unit,
            allowed: "an integer from \(range.lowerBound) to \(range.upperBound) (\(unit))", summary,
            value: { integer($0, in: range) }, text: { "\($0)" })
    }

    /// Whole seconds in a range.
    static func seconds(
        _ name: String, _ property: Property<Duration>, _ range: ClosedRange<Int>, _ summary: String
    ) -> Setting {
        Setting(
            name, property, kind: .duration, unit: "seconds",
            allowed: "an integer from \(range.lowerBound) to \(range.upperBound) (seconds)", summary,
            value: { integer($0, in: range).map { Duration.seconds($0) } },
            text: { "\($0.components.seconds)" })
    }

    /// Whole hours in a range.
    static func hours(
        _ name: String, _ property: Property<Duration>, _ range: ClosedRange<Int>, _ summary: String
    ) -> Setting {
        Setting(
            name, property, kind: .duration, unit: "hours",
            allowed: "an integer from \(range.lowerBound) to \(range.upperBound) (hours)", summary,
            value: { integer($0, in: range).map { Duration.seconds($0 * 3600) } },
            text: { "\($0.components.seconds / 3600)" })
    }

    /// A number in a range, written in decimal, with or without an exponent.
    static func decimal(
        _ name: String, _ property: Property<Double>, _ range: ClosedRange<Double>, unit: String,
        _ summary: String
    ) -> Setting {
        Setting(
            name, property, kind: .decimal, unit: unit,
            allowed: "a number from \(brief(range.lowerBound)) to \(brief(range.upperBound)) (\(unit))",
            summary,
            value: { text in
                // Double() would also read "0x1p3" and "infinity".
                guard text.utf8.allSatisfy("+-.0123456789eE".utf8.contains) else { return nil }
                return Double(text).flatMap { range.contains($0) ? $0 : nil }
            },
            text: brief)
    }

    /// One of an enum's raw values.
    static func choice<Value: RawRepresentable<String> & CaseIterable & Sendable>(
        _ name: String, _ property: Property<Value>, allowed: String? = nil, _ summary: String
    ) -> Setting {
        let words = Value.allCases.map(\.rawValue)
        return Setting(
            name, property, kind: .choice, allowed: allowed ?? words.joined(separator: ", "), summary,
            value: { text in
                words.first { $0.lowercased() == text.lowercased() }.flatMap(Value.init(rawValue:))
            },
            text: \.rawValue)
    }

    /// A file that need not be named.
    static func file(_ name: String, _ property: Property<String?>, _ summary: String) -> Setting {
        Setting(
            name, property, kind: .path, allowed: "the path of a readable file", summary,
            value: { isPath($0) ? .some($0) : .none }, text: { $0 ?? "" })
    }

    /// Entries of a list.
    static let listLimit = 1_000

    /// The entries of a list, told apart by commas, each once; nil where one is wrong, or there are none or
    /// too many.
    static func list<Value: Hashable>(_ text: String, _ entry: (String) -> Value?) -> [Value]? {
        let texts = text.split(separator: ",").map { $0.trimmed }
        let values = texts.compactMap(entry)
        guard values.count == texts.count, (1...listLimit).contains(values.count) else { return nil }
        var seen: Set<Value> = []
        return values.filter { seen.insert($0).inserted }
    }

    /// What an asset's symbol may be where it is listed: letters, digits and `.`, `-`, `=`, `^`.
    static func isSymbol(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
                    || ".-=^".utf8.contains(byte)
            }
    }

    /// Without control characters: NUL would end the name early, the others garble whatever shows it.
    static func isPath(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func integer(_ text: String, in range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    /// `5` for 5.0.
    @Sendable private static func brief(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}
