import FoundationEssentials

/// What `print-config` prints.
public struct SettingsReport: Sendable {
    private let loaded: LoadedSettings
    private let sections: [SettingTable.Section]

    /// A report on the settings of the table.
    public init(_ loaded: LoadedSettings) {
        self.init(loaded, sections: SettingTable.sections)
    }

    init(_ loaded: LoadedSettings, sections: [SettingTable.Section]) {
        self.loaded = loaded
        self.sections = sections
    }

    /// Lines of `NAME=value  # where it comes from`, under a heading for each section: itself a `.env` file,
    /// unless a secret is hidden.
    public var text: String {
        var lines: [String] = []
        for section in sections {
            lines.append("# \(section.title)")
            for setting in section.settings {
                let origin = loaded.origin(of: setting)
                let note =
                    origin == .builtIn ? "default" : "\(origin); default \(Self.orNone(setting.defaultText))"
                lines.append("\(setting.name)=\(Self.quotedIfNeeded(shown(setting)))  # \(note)")
            }
            lines.append("")
        }
        lines += loaded.notices.map { "# Notice: \($0)" }
        return lines.joined(separator: "\n").trimmingNewlines + "\n"
    }

    /// One object with `settings`, a list, and `notices`. Values are texts as one would set them. Throws only
    /// what `JSONEncoder` throws, for texts nothing.
    public func json() throws -> String {
        struct Row: Encodable {
            let section, name, type, value, `default`, origin, allowed, description: String
            let unit: String?
        }
        struct Report: Encodable {
            let settings: [Row]
            let notices: [String]
        }
        let rows = sections.flatMap { section in
            section.settings.map { setting in
                Row(
                    section: section.title, name: setting.name, type: setting.kind.rawValue,
                    value: shown(setting),
                    default: setting.defaultText, origin: loaded.origin(of: setting).description,
                    allowed: setting.allowed, description: setting.summary, unit: setting.unit)
            }
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = try encoder.encode(Report(settings: rows, notices: loaded.notices))
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// The README's settings table: a Markdown table for each section. It speaks of defaults only, so it is
    /// the same whatever is set. Neighbours that differ in nothing but their names share a row.
    public static let markdown: String = SettingTable.sections.map { section in
        var rows: [String] = []
        var names = ""
        for (index, setting) in section.settings.enumerated() {
            let value = setting.defaultText.isEmpty ? "—" : "`\(setting.defaultText)`"
            let rest = "\(value) | \(setting.allowed) | \(setting.summary) |\n"
            names += names.isEmpty ? "`\(setting.name)`" : ", `\(setting.name)`"
            if let next = section.settings.dropFirst(index + 1).first, next.summary == setting.summary {
                continue
            }
            rows.append("| \(names) | \(rest)")
            names = ""
        }
        let heading =
            "### \(section.title)\n\n| setting | default | allowed | what it is for |\n|---|---|---|---|\n"
        return heading + rows.joined()
    }.joined(separator: "\n")

    private func shown(_ setting: Setting) -> String {
        let value = setting.text(loaded.settings)
        return setting.isSecret && !value.isEmpty ? "(hidden)" : value
    }

    private static func orNone(_ value: String) -> String {
        value.isEmpty ? "none" : value
    }

    /// As `EnvironmentFile` reads it back.
    private static func quotedIfNeeded(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            byte > 0x20 && byte != 0x7F && !"#'\"\\".utf8.contains(byte)
        }
        if isPlain { return value }
        let escaped = value.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
        return "\"\(String(escaped))\""
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self
        while text.last == "\n" { text.removeLast() }
        return text
    }
}
