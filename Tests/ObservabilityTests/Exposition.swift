/// A reader of Prometheus text 0.0.4 and OpenMetrics 1.0, written from the two specifications' grammars for
/// these tests alone: it knows nothing of the renderer and refuses what the formats do not allow.
struct Exposition {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Family {
        var type = "untyped"
        var help: String?
        var unit: String?
        var samples: [Sample] = []
    }

    struct Sample: Equatable {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private(set) var families: [String: Family] = [:]
    private let isOpenMetrics: Bool
    private var current: String?

    init(_ text: String, openMetrics: Bool) throws {
        isOpenMetrics = openMetrics
        guard text.hasSuffix("\n") else { throw Failure(description: "no newline at the end") }
        var lines = text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
        if openMetrics {
            guard lines.popLast() == "# EOF" else { throw Failure(description: "no # EOF at the end") }
        }
        for line in lines {
            if line.hasPrefix("# ") { try readComment(line) } else { try readSample(line) }
        }
        for (name, family) in families where family.type == "histogram" { try checkHistogram(name, family) }
    }

    /// The value of the one sample with this name and these labels.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        families.values.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
    }

    private mutating func readComment(_ line: Substring) throws {
        let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(
            String.init)
        guard parts.count == 4, Self.isName(parts[2][...]) else {
            throw Failure(description: "comment: \(line)")
        }
        let (keyword, name, text) = (parts[1], parts[2], parts[3])
        if current != name {
            guard families[name] == nil else { throw Failure(description: "family \(name) is interleaved") }
            families[name] = Family()
            current = name
        }
        guard var family = families[name], family.samples.isEmpty else {
            throw Failure(description: "metadata after samples: \(line)")
        }
        switch keyword {
        case "TYPE":
            guard ["counter", "gauge", "histogram"].contains(text) else {
                throw Failure(description: "type: \(line)")
            }
            family.type = text
        case "HELP":
            family.help = try Self.unescaped(text, quotes: isOpenMetrics)
        case "UNIT" where isOpenMetrics && name.hasSuffix("_\(text)"):
            family.unit = text
        default:
            throw Failure(description: "keyword: \(line)")
        }
        families[name] = family
    }

    private mutating func readSample(_ line: Substring) throws {
        let name = line.prefix { $0 != "{" && $0 != " " }
        guard Self.isName(name), let current, let family = families[current] else {
            throw Failure(description: "sample: \(line)")
        }
        let suffixes: [String] =
            switch family.type {
            case "counter": isOpenMetrics ? ["_total"] : [""]
            case "histogram": ["_bucket", "_sum", "_count"]
            default: [""]
            }
        guard suffixes.contains(where: { current + $0 == name }) else {
            throw Failure(description: "\(name) is no sample of \(current)")
        }
        var rest = line.dropFirst(name.count)
        let labels = try Self.readLabels(&rest)
        guard rest.popFirst() == " ", let value = Self.number(String(rest)) else {
            throw Failure(description: "value: \(line)")
        }
        if family.type == "counter", !(value >= 0) { throw Failure(description: "counter: \(line)") }
        let sample = Sample(name: String(name), labels: labels, value: value)
        guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == labels }) else {
            throw Failure(description: "repeated: \(line)")
        }
        families[current]?.samples.append(sample)
    }

    private static func readLabels(_ rest: inout Substring) throws -> [String: String] {
        guard rest.first == "{" else { return [:] }
        rest = rest.dropFirst()
        var labels: [String: String] = [:]
        while true {
            let name = rest.prefix { $0 != "=" }
            rest = rest.dropFirst(name.count)
            guard isName(name), rest.hasPrefix("=\"") else { throw Failure(description: "label \(name)") }
            rest = rest.dropFirst(2)
            var raw = ""
            while let character = rest.popFirst(), character != "\"" {
                raw.append(character)
                if character == "\\", let next = rest.popFirst() { raw.append(next) }
            }
            guard labels.updateValue(try unescaped(raw, quotes: true), forKey: String(name)) == nil else {
                throw Failure(description: "label \(name) twice")
            }
            switch rest.popFirst() {
            case ",": continue
            case "}": return labels
            default: throw Failure(description: "after label \(name)")
            }
        }
    }

    private func checkHistogram(_ name: String, _ family: Family) throws {
        let groups = Dictionary(grouping: family.samples) { $0.labels.filter { $0.key != "le" } }
        for (labels, samples) in groups {
            let buckets = samples.filter { $0.name == "\(name)_bucket" }
            let bounds = buckets.compactMap { Self.number($0.labels["le"] ?? "") }
            let counts = buckets.map(\.value)
            let total = samples.first { $0.name == "\(name)_count" }?.value
            guard
                bounds.count == buckets.count, bounds.last == .infinity,
                zip(bounds, bounds.dropFirst()).allSatisfy(<),
                zip(counts, counts.dropFirst()).allSatisfy(<=), counts.last == total,
                samples.contains(where: { $0.name == "\(name)_sum" })
            else { throw Failure(description: "histogram \(name) \(labels)") }
        }
    }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:".utf8.contains)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.utf8.allSatisfy("+-.0123456789e".utf8.contains) ? Double(text) : nil
        }
    }

    private static func unescaped(_ text: String, quotes: Bool) throws -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "\\" else {
                if character == "\"" && quotes { throw Failure(description: "bare quote in \(text)") }
                result.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": result.append("\n")
            case "\\": result.append("\\")
            case "\"" where quotes: result.append("\"")
            default: throw Failure(description: "escape in \(text)")
            }
        }
        return result
    }
}
