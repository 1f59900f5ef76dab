import Foundation

/// One Swift file of the package, by lines.
struct SourceFile: Sendable {
    /// A function, initialiser or subscript with a body.
    struct Function {
        /// Counted from 1.
        let line: Int
        let lineCount: Int
    }

    /// From the package's top, such as `Sources/HTTP/Request.swift`.
    let path: String
    let lines: [String]

    /// The package's top directory, two above this file's.
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All Swift files below a directory of the package, in order of their paths.
    static func all(in directory: String) throws -> [SourceFile] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: directory).path)
        return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            let text = try String(contentsOf: root.appending(path: "\(directory)/\(path)"), encoding: .utf8)
            return SourceFile(path: "\(directory)/\(path)", text: text)
        }
    }

    init(path: String, text: String) {
        self.path = path
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        self.lines = lines
    }

    /// Functions, told by their indentation, which the format check guarantees: a body ends at the first `}`
    /// that is indented as its declaration is.
    var functions: [Function] {
        lines.indices.compactMap { start in
            guard Self.declaresFunction(lines[start]) else { return nil }
            let indentation = Self.indentation(lines[start])
            for (offset, line) in lines[start...].enumerated().dropFirst() {
                let text = line.drop { $0 == " " }
                guard !text.isEmpty, Self.indentation(line) <= indentation else { continue }
                // A signature of several lines goes on with its closing bracket.
                if text.hasPrefix(")") || text.hasPrefix("where ") { continue }
                return text.hasPrefix("}") && Self.indentation(line) == indentation
                    ? Function(line: start + 1, lineCount: offset + 1) : nil
            }
            return nil
        }
    }

    /// Lines, counted from 1, of public declarations without a `///` above them.
    var undocumentedPublicLines: [Int] {
        lines.indices.filter { index in
            let words = lines[index].split(separator: " ").drop { $0.hasPrefix("@") }
            guard let first = words.first, ["public", "open"].contains(first) else { return false }
            guard !["import", "extension"].contains(words.dropFirst().first) else { return false }
            let above = lines[..<index].last { line in
                let text = line.drop { $0 == " " }
                return !text.hasPrefix("@") && !text.hasPrefix("#if")
            }
            return above?.drop { $0 == " " }.hasPrefix("///") != true
        }.map { $0 + 1 }
    }

    /// Lines, counted from 1, that contain `word`.
    func lines(containing word: String) -> [Int] {
        lines.indices.filter { lines[$0].contains(word) }.map { $0 + 1 }
    }

    private static func indentation(_ line: String) -> Int {
        line.prefix { $0 == " " }.count
    }

    private static func declaresFunction(_ line: String) -> Bool {
        let modifiers: Set<Substring> = [
            "public", "package", "private", "fileprivate", "internal", "open", "static", "final", "mutating",
            "nonmutating", "consuming", "borrowing", "override", "convenience", "required", "nonisolated",
            "isolated",
        ]
        let words = line.split(separator: " ").drop { $0.hasPrefix("@") || modifiers.contains($0) }
        guard let word = words.first else { return false }
        return word == "func" || word == "deinit"
            || ["init(", "init?(", "init<", "subscript(", "subscript<"].contains(where: word.hasPrefix)
    }
}
