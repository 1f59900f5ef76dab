import FoundationEssentials
import Testing

@testable import Configuration

@Suite("A .env file is read as the guide writes it")
struct EnvironmentFileTests {
    @Test(
        "Values are found among comments, quotes and blanks",
        arguments: [
            ("A=1", "1"),
            ("A=8  # Number of worker instances per type", "8"),  // the guide's own lines
            ("A=1000000.0  # $1M minimum", "1000000.0"),
            ("  A = 1  ", "1"),
            ("export A=1", "1"),
            ("export\tA=1", "1"),
            ("A=", ""),
            ("A= # nothing", ""),
            ("A=#no-comment", "#no-comment"),
            ("A=b#c", "b#c"),
            ("A=b\t# c", "b"),
            ("A=b = c", "b = c"),
            ("A='b # c'", "b # c"),
            ("A='b' # c", "b"),
            ("A='b\\n'", "b\\n"),
            ("A=\"b # c\"  # d", "b # c"),
            ("A=\"b\\n\\t\\\"\\\\c\"", "b\n\t\"\\c"),
            ("A=\"\"", ""),
            ("A=b\"c\"", "b\"c\""),
            ("A=$HOME/${X}", "$HOME/${X}"),
            ("A=ü€😀", "ü€😀"),
            ("A=1\nA=2", "2"),
            ("\u{FEFF}A=1", "1"),
            ("# A=0\r\n\r\nA=1\r\n", "1"),
            ("A=1\rB=2", "1"),
        ])
    func values(text: String, value: String) throws {
        #expect(try EnvironmentFile(text: text).entries["A"]?.value == value)
    }

    @Test(
        "A line that is no assignment is named by its number",
        arguments: [
            ("A=1\n\nB", ".env line 3: expected NAME=value"),
            ("\r\nA B", ".env line 2: expected NAME=value"),
            ("=1", ".env line 1: a name has only letters, digits and _, and no digit first"),
            ("1A=1", ".env line 1: a name has only letters, digits and _, and no digit first"),
            ("A-B=1", ".env line 1: a name has only letters, digits and _, and no digit first"),
            ("Ä=1", ".env line 1: a name has only letters, digits and _, and no digit first"),
            ("A='b", ".env line 1: the quote is not closed on this line"),
            ("A=\"b\\\"", ".env line 1: the quote is not closed on this line"),
            ("A='b'c", ".env line 1: only a comment may follow a quoted value"),
            ("A='b'#c", ".env line 1: only a comment may follow a quoted value"),
            ("A=\"\\x\"", ".env line 1: within double quotes \\ goes only before n, t, \" or \\"),
            ("A=\"\\", ".env line 1: within double quotes \\ goes only before n, t, \" or \\"),
        ])
    func errors(text: String, problem: String) {
        let error = #expect(throws: ConfigurationError.self) { try EnvironmentFile(text: text) }
        #expect(error?.problems == [problem])
    }

    @Test("Every bad line is reported")
    func everyLine() {
        let error = #expect(throws: ConfigurationError.self) {
            try EnvironmentFile(text: "A\nB=1\nC", path: "x")
        }
        #expect(error?.problems == ["x line 1: expected NAME=value", "x line 3: expected NAME=value"])
    }

    @Test("Entries know their line")
    func lines() throws {
        let file = try EnvironmentFile(text: "# one\nA=1\n\nB=2")
        #expect(file.entries == ["A": .init(value: "1", line: 2), "B": .init(value: "2", line: 4)])
    }

    @Test("No bytes make the reader trap", arguments: 0..<200)
    func anything(seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let alphabet = Array("A=\"'# \\\n\r\texport1_é\u{301}\0")
        var text = ""
        for _ in 0..<60 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text.append(alphabet[Int(state >> 33) % alphabet.count])
        }
        let file = try? EnvironmentFile(text: text)
        for entry in file?.entries.values.map(\.line) ?? [] { #expect(entry >= 1) }
    }

    @Test(
        "An absent file is nil where it is not required, else an error; bytes that are no UTF-8 are an error")
    func files() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "env-\(UUID().uuidString)").path
        #expect(try EnvironmentFile.read(path: path, required: false) == nil)
        #expect(throws: ConfigurationError.self) { try EnvironmentFile.read(path: path, required: true) }
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data("FIML_PORT=1".utf8).write(to: URL(filePath: path))
        #expect(try EnvironmentFile.read(path: path, required: true)?.entries["FIML_PORT"]?.value == "1")
        try Data([0x41, 0x3D, 0xFF]).write(to: URL(filePath: path))
        #expect(throws: ConfigurationError.self) { try EnvironmentFile.read(path: path, required: false) }
    }
}
