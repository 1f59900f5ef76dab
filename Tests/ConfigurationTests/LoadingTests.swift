import FoundationEssentials
import Testing

@testable import Configuration

@Suite("A wrong configuration stops the start and names everything that is wrong")
struct LoadingTests {
    private func problems(_ environment: [String: String], readable: Bool = true) -> [String] {
        do throws(ConfigurationError) {
            _ = try load(environment) { _ in readable }
            return []
        } catch {
            return error.problems
        }
    }

    @Test("The sentence about a wrong port is the documented one")
    func sentence() {
        #expect(
            problems(["FIML_PORT": "99999"])
                == ["FIML_PORT=99999 is not allowed: an integer from 0 to 65535 (TCP port)"])
    }

    @Test("Live market data are refused with the reason")
    func live() {
        #expect(
            problems(["MARKET_DATA_SOURCE": "file"])
                == [
                    "MARKET_DATA_SOURCE=file is not allowed: replay, live"
                ])
    }

    @Test("All wrong values are reported at once, in the order of the table")
    func allAtOnce() {
        let names = problems(["REPLAY_SPEED": "0", "FIML_PORT": "x", "ENABLE_CORS": "?"])
            .map { $0.prefix { $0 != "=" } }
        #expect(names == ["FIML_PORT", "ENABLE_CORS", "REPLAY_SPEED"])
    }

    @Test("A wrong value of the file is reported with its line, and shortened to one line")
    func fileLine() throws {
        let file = try EnvironmentFile(text: "\n\nFIML_PORT=\"1\\n2\"\n", path: "prod.env")
        let error = #expect(throws: ConfigurationError.self) { try load([:], dotEnv: file) }
        #expect(
            error?.description
                == #"FIML_PORT=1\n2 (prod.env line 3) is not allowed: an integer from 0 to 65535 (TCP port)"#)
        let long = problems(["FIML_PORT": String(repeating: "9", count: 500)])
        #expect(long.first.map { $0.count < 200 } == true)
    }

    @Test("The environment wins over the file, and an empty value is as if it was not set")
    func precedence() throws {
        let file = try EnvironmentFile(text: "FIML_PORT=1\nFIML_HOST=::\nFIML_EVENT_LOOPS=2\nREPLAY_SPEED=")
        let loaded = try load(["FIML_PORT": "2", "FIML_EVENT_LOOPS": ""], dotEnv: file)
        #expect(loaded.settings.server.port == 2)
        #expect(loaded.settings.server.host == "::")
        #expect(loaded.settings.server.eventLoops == 0)
        #expect(loaded.origins == ["FIML_PORT": .environment, "FIML_HOST": .file(path: ".env", line: 2)])
    }

    @Test(
        "Values that contradict each other are refused",
        arguments: [
            (
                ["FIML_TLS_CERT_FILE": "c"],
                "FIML_TLS_CERT_FILE and FIML_TLS_KEY_FILE are not allowed alone: set both or none"
            ),
            (
                ["FIML_TLS_PORT": "8443", "FIML_TLS_CERT_FILE": "c"],
                "FIML_TLS_PORT=8443 is not allowed: FIML_TLS_KEY_FILE is not set"
            ),
            (
                ["FIML_TLS_PORT": "8000", "FIML_TLS_CERT_FILE": "c", "FIML_TLS_KEY_FILE": "k"],
                "FIML_TLS_PORT=8000 is not allowed: FIML_PORT is the same"
            ),
            (
                ["AZURE_OPENAI_API_KEY": "k"],
                "AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME are not "
                    + "allowed alone: set all three or none"
            ),
            (
                ["FIML_WS_REQUEST_BURST": "9"],
                "FIML_WS_REQUEST_BURST=9 is not allowed: at least FIML_WS_REQUESTS_PER_SECOND (10)"
            ),
            (
                ["FIML_WS_MAX_INFLATED_BYTES": "16383"],
                "FIML_WS_MAX_INFLATED_BYTES=16383 is not allowed: at least FIML_WS_MAX_MESSAGE_BYTES (16384)"
            ),
            (
                ["FIML_WS_PONG_TIMEOUT_SECONDS": "26"],
                "FIML_WS_PONG_TIMEOUT_SECONDS=26 is not allowed: at most FIML_WS_PING_SECONDS (25)"
            ),
            (
                ["SESSION_DEFAULT_TTL_HOURS": "169"],
                "SESSION_DEFAULT_TTL_HOURS=169 is not allowed: at most SESSION_MAX_TTL_HOURS (168)"
            ),
            (
                ["SESSION_MAX_TTL_HOURS": "1"],
                "SESSION_DEFAULT_TTL_HOURS=24 is not allowed: at most SESSION_MAX_TTL_HOURS (1)"
            ),
        ])
    func contradictions(environment: [String: String], problem: String) {
        #expect(problems(environment) == [problem])
    }

    @Test("A TLS file that cannot be read is named")
    func unreadable() {
        let both = ["FIML_TLS_PORT": "8443", "FIML_TLS_CERT_FILE": "c.pem", "FIML_TLS_KEY_FILE": "k.pem"]
        let reason = "is not allowed: the file does not exist or cannot be read"
        #expect(
            problems(both, readable: false)
                == ["FIML_TLS_CERT_FILE=c.pem \(reason)", "FIML_TLS_KEY_FILE=k.pem \(reason)"])
        #expect(problems(both) == [])
        let missing = absentPath("no-such-file.pem")
        let error = #expect(throws: ConfigurationError.self) {
            try Settings.load(environment: both.mapValues { $0.hasSuffix("pem") ? missing : $0 })
        }
        #expect(error?.problems.count == 2)
    }

    @Test("A name of the guide's that has no effect yet is said aloud once and is no error")
    func later() throws {
        let loaded = try load(["SENTRY_DSN": "https://a.example", "SECRET_KEY": "hunter2"])
        #expect(
            loaded.notices == [
                "SECRET_KEY is set, but this version does not use it yet",
                "SENTRY_DSN is set, but this version does not use it yet",
            ])
    }

    @Test("No name is both in effect and for later")
    func disjoint() {
        let inEffect = Set(SettingTable.sections.flatMap(\.settings).map(\.name))
        #expect(inEffect.isDisjoint(with: LaterSettings.names))
        #expect(LaterSettings.names.count == 5)
    }

    @Test(
        "A name that looks mistyped gets the nearest one as a suggestion",
        arguments: [
            ("FIML_PROT", "FIML_PROT is no setting; did you mean FIML_PORT?"),
            (
                "WATCHDOG_GLOBAL_ENABLE",
                "WATCHDOG_GLOBAL_ENABLE is no setting; did you mean WATCHDOG_GLOBAL_ENABLED?"
            ),
            ("REPLAY_SPED", "REPLAY_SPED is no setting; did you mean REPLAY_SPEED?"),
            (
                "WHALE_MOVEMENT_MIN_EUR",
                "WHALE_MOVEMENT_MIN_EUR is no setting; did you mean WHALE_MOVEMENT_MIN_USD?"
            ),
            (
                "ENABLE_LIQUIDTY_DROP_WATCHDOG",
                "ENABLE_LIQUIDTY_DROP_WATCHDOG is no setting; did you mean ENABLE_LIQUIDITY_DROP_WATCHDOG?"
            ),
            ("REDIS_HSOT", "REDIS_HSOT is no setting; did you mean REDIS_HOST?"),
            ("POSTGRES_PASWORD", "POSTGRES_PASWORD is no setting; did you mean POSTGRES_PASSWORD?"),
            (
                "SESSION_MAX_TTL_HOUR",
                "SESSION_MAX_TTL_HOUR is no setting; did you mean SESSION_MAX_TTL_HOURS?"
            ),
            ("FIML_SOMETHING_ELSE_ENTIRELY", "FIML_SOMETHING_ELSE_ENTIRELY is no setting"),
        ])
    func mistyped(name: String, notice: String) throws {
        #expect(try load([name: "1"]).notices == [notice])
    }

    @Test(
        "Variables of other programs are left alone",
        arguments: [
            "PATH", "WATCHDOG_USEC", "WATCHDOG_PID", "HOST", "REDIS_URL", "REDIS_SERVICE_HOST",
            "REDIS_PORT_6379_TCP_PORT", "POSTGRES_INITDB_ARGS", "SESSION_MANAGER",
        ])
    func others(name: String) throws {
        #expect(try load([name: "1"]).notices == [])
    }

    @Test(
        "The distance of two names counts letters inserted, deleted, replaced and swapped",
        arguments: [
            ("", "", 0), ("abc", "", 3), ("abc", "abc", 0), ("abcd", "abdc", 1), ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ])
    func distance(left: String, right: String, distance: Int) {
        #expect(NameCheck.distance(left, right) == distance)
        #expect(NameCheck.distance(right, left) == distance)
    }

    @Test("A server that is described and has no host is noted, by no more than its name")
    func hostless() throws {
        #expect(
            try load(["REDIS_PASSWORD": "hunter2"]).notices
                == ["REDIS_HOST is not set: no Redis is used, whatever else is said of it"])
        #expect(
            try load(["POSTGRES_PORT": "5433"]).notices
                == ["POSTGRES_HOST is not set: no PostgreSQL is used, whatever else is said of it"])
        #expect(try load(["REDIS_HOST": "redis", "REDIS_PASSWORD": "hunter2"]).notices == [])
    }

    @Test("Development endpoints in production, a certificate without a port, too rare quotes are noted")
    func doubts() throws {
        let production = try load(["FIML_ENV": "production", "FIML_DEV_ENDPOINTS": "true"])
        #expect(production.notices.count == 1)
        let files = try load(["FIML_TLS_CERT_FILE": "c", "FIML_TLS_KEY_FILE": "k"])
        #expect(files.notices == ["FIML_TLS_CERT_FILE is set, but TLS is off: FIML_TLS_PORT is 0"])
        let rare = ["MARKET_DATA_SOURCE": "live", "PRICE_ANOMALY_CHECK_INTERVAL": "61"]
        #expect(try load(rare).notices.first?.hasPrefix("PRICE_ANOMALY_CHECK_INTERVAL is longer") == true)
        #expect(try load(["PRICE_ANOMALY_CHECK_INTERVAL": "61"]).notices == [])
    }
}

/// A path that nothing stands at.
private func absentPath(_ name: String) -> String {
    "/nonexistent-\(UUID().uuidString)/\(name)"
}
