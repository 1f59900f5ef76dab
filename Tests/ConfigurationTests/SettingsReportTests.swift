import Foundation
import Testing

@testable import Configuration

@Suite("print-config shows every setting, where it comes from, and no secret")
struct SettingsReportTests {
    @Test("A line names value and origin")
    func lines() throws {
        let file = try EnvironmentFile(text: "FIML_DATA_DIR='/var/my data'")
        let text = SettingsReport(try load(["FIML_PORT": "9000"], dotEnv: file)).text
        let lines = text.split(separator: "\n")
        #expect(lines.contains("FIML_PORT=9000  # environment; default 8000"))
        #expect(lines.contains("FIML_DATA_DIR=\"/var/my data\"  # .env line 1; default data"))
        #expect(lines.contains("FIML_HOST=127.0.0.1  # default"))
        #expect(lines.filter { !$0.hasPrefix("#") }.count == settingVectors.count)
    }

    @Test("What is printed is itself a .env file that gives the same settings")
    func roundTrip() throws {
        let loaded = try load([
            "FIML_DATA_DIR": "a \"b\" \\ # c", "REPLAY_FROM": "2020-03-12",
            "CORS_ORIGINS": "https://b.example,http://a.example:80",
            "FUNDING_RATE_THRESHOLD_PCT": "0.0001", "FIML_TLS_CERT_FILE": "c'", "FIML_TLS_KEY_FILE": "k",
        ])
        let again = try load([:], dotEnv: EnvironmentFile(text: SettingsReport(loaded).text))
        for setting in SettingTable.sections.flatMap(\.settings) {
            #expect(setting.text(again.settings) == setting.text(loaded.settings), "\(setting.name)")
        }
    }

    @Test("A secret is hidden in text, JSON and errors; names for later never show their value")
    func secrets() throws {
        let secret = Setting(
            "SECRET_WORD", \.server.host, kind: .text, allowed: "short", isSecret: true, "A word.",
            value: { $0.count < 20 ? $0 : nil }, text: { $0 })
        let sections = [SettingTable.Section(title: "Secrets", settings: [secret])]
        func load(_ word: String) throws(ConfigurationError) -> LoadedSettings {
            try Settings.load(
                environment: ["SECRET_WORD": word, "SECRET_KEY": "hunter3"], dotEnv: nil,
                sections: sections,
                isReadable: { _ in true })
        }
        let report = SettingsReport(try load("hunter2"), sections: sections)
        let texts = [report.text, try report.json()]
        #expect(texts.allSatisfy { !$0.contains("hunter") && $0.contains("(hidden)") })
        #expect(
            texts.allSatisfy { $0.contains("SECRET_KEY is set, but this version does not use it yet") })
        let error = #expect(throws: ConfigurationError.self) { try load("hunter2hunter2hunter2") }
        #expect(error?.problems == ["SECRET_WORD=(hidden) is not allowed: short"])
    }

    @Test("The JSON is one object with a row for each setting")
    func json() throws {
        let loaded = try load(["FIML_PORT": "9000", "FIML_PROT": "1"])
        let object = try JSONSerialization.jsonObject(with: Data(SettingsReport(loaded).json().utf8))
        let report = try #require(object as? [String: Any])
        let rows = try #require(report["settings"] as? [[String: Any]])
        #expect(rows.count == settingVectors.count)
        let port = try #require(rows.first { $0["name"] as? String == "FIML_PORT" } as? [String: String])
        #expect(
            port == [
                "section": "Server", "name": "FIML_PORT", "type": "integer", "value": "9000",
                "default": "8000",
                "origin": "environment", "allowed": "an integer from 0 to 65535 (TCP port)",
                "unit": "TCP port",
                "description": "Port for plain HTTP and WebSocket; 0 takes any free one.",
            ])
        #expect(report["notices"] as? [String] == ["FIML_PROT is no setting; did you mean FIML_PORT?"])
    }

    @Test("The Markdown names each setting once, in a well-formed table row")
    func markdown() {
        let lines = SettingsReport.markdown.split(separator: "\n")
        let rows = lines.filter { $0.hasPrefix("| `") }
        // What a setting is for may name another one.
        let names = rows.compactMap { $0.split(separator: "|").first }
        for vector in settingVectors {
            #expect(names.count { $0.contains("`\(vector.name)`") } == 1, "\(vector.name)")
        }
        #expect(rows.allSatisfy { row in row.filter { $0 == "|" }.count == 5 })
        #expect(lines.filter { $0.hasPrefix("### ") }.count == SettingTable.sections.count)
    }

    @Test(
        "An origin is let in by scheme, host and port alone",
        arguments: [
            ("https://app.example.com", true), ("HTTPS://APP.example.com", true),
            ("https://app.example.com:443", true),
            ("http://localhost:3000", true), ("http://app.example.com", false),
            ("https://app.example.com:8443", false),
            ("https://app.example.com.evil.example", false), ("https://evil-app.example.com", false),
            ("null", false),
            ("", false), ("https://app.example.com/", false),
        ])
    func origins(origin: String, isAllowed: Bool) throws {
        let origins = try load(["CORS_ORIGINS": "https://App.example.com:443 , http://localhost:3000"])
            .settings.cors.origins
        #expect(origins.allows(origin) == isAllowed)
        #expect(AllowedOrigins.any.allows(origin))
    }

    @Test("The README's table is the one that print-config makes")
    func readme() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains(SettingsReport.markdown.trimmingCharacters(in: .newlines)))
    }
}
