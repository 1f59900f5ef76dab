import Glibc

/// Settings, and what there is to say about where they came from.
public struct LoadedSettings: Sendable {
    /// Where a value came from.
    public enum Origin: Sendable, Equatable, CustomStringConvertible {
        /// Nothing was set.
        case builtIn
        /// The process environment.
        case environment
        /// A line of a `.env` file.
        case file(path: String, line: Int)

        /// `default`, `environment` or `.env line 3`.
        public var description: String {
            switch self {
            case .builtIn: "default"
            case .environment: "environment"
            case .file(let path, let line): "\(path) line \(line)"
            }
        }
    }

    /// The values.
    public let settings: Settings
    /// One sentence each: names without effect, names that look mistyped, doubtful combinations.
    public let notices: [String]
    /// By name, for what was set.
    let origins: [String: Origin]

    /// Where a setting's value came from.
    public func origin(of setting: Setting) -> Origin {
        origins[setting.name] ?? .builtIn
    }
}

extension Settings {
    /// Reads the settings. What the environment says wins over the `.env` file; an empty value is as if it
    /// was not set. Throws everything that is wrong at once.
    public static func load(
        environment: [String: String], dotEnv: EnvironmentFile? = nil
    ) throws(ConfigurationError) -> LoadedSettings {
        try load(environment: environment, dotEnv: dotEnv, sections: SettingTable.sections) { path in
            access(path, R_OK) == 0
        }
    }

    /// As above, with the table and the file system as parameters.
    static func load(
        environment: [String: String], dotEnv: EnvironmentFile?, sections: [SettingTable.Section],
        isReadable: (String) -> Bool
    ) throws(ConfigurationError) -> LoadedSettings {
        var given: [String: (value: String, origin: LoadedSettings.Origin)] = [:]
        for (name, entry) in dotEnv?.entries ?? [:] {
            given[name] = (entry.value, .file(path: dotEnv?.path ?? "", line: entry.line))
        }
        for (name, value) in environment {
            given[name] = (value.trimmed, .environment)
        }
        given = given.filter { !$0.value.value.isEmpty }

        var settings = Settings()
        var problems: [String] = []
        let table = sections.flatMap(\.settings)
        for setting in table {
            guard let (value, origin) = given[setting.name] else { continue }
            if !setting.assign(value, &settings) {
                let place = origin == .environment ? "" : " (\(origin))"
                let shown = setting.isSecret ? "(hidden)" : value.onOneLine
                problems.append("\(setting.name)=\(shown)\(place) is not allowed: \(setting.allowed)")
            }
        }
        problems += settings.contradictions(isReadable: isReadable)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }

        let inEffect = Set(table.map(\.name))
        return LoadedSettings(
            settings: settings,
            notices: notices(about: given.keys.sorted(), inEffect: inEffect) + settings.doubts,
            origins: given.mapValues(\.origin).filter { inEffect.contains($0.key) })
    }

    private static func notices(about names: [String], inEffect: Set<String>) -> [String] {
        let known = inEffect.union(LaterSettings.names)
        return names.filter { !inEffect.contains($0) }.compactMap { name in
            LaterSettings.names.contains(name)
                ? "\(name) is set, but this version does not use it yet"
                : NameCheck.notice(about: name, known: known)
        }
    }

    /// What is wrong with values that are each allowed.
    private func contradictions(isReadable: (String) -> Bool) -> [String] {
        var problems: [String] = []
        func require(_ isRight: Bool, _ problem: @autoclosure () -> String) {
            if !isRight { problems.append(problem()) }
        }
        let files = [("FIML_TLS_CERT_FILE", tls.certificateFile), ("FIML_TLS_KEY_FILE", tls.keyFile)]
        for (name, path) in files {
            if let path {
                require(
                    isReadable(path),
                    "\(name)=\(path.onOneLine) is not allowed: the file does not exist or cannot be read")
            } else {
                require(!tls.isOn, "FIML_TLS_PORT=\(tls.port) is not allowed: \(name) is not set")
            }
        }
        let model = [azureOpenAI.endpoint, azureOpenAI.apiKey, azureOpenAI.deployment]
        require(
            azureOpenAI.isConfigured || model.allSatisfy { $0 == nil },
            "AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and AZURE_OPENAI_DEPLOYMENT_NAME are not allowed "
                + "alone: set all three or none")
        let isPair = (tls.certificateFile == nil) == (tls.keyFile == nil)
        require(
            tls.isOn || isPair,
            "FIML_TLS_CERT_FILE and FIML_TLS_KEY_FILE are not allowed alone: set both or none")
        require(
            !tls.isOn || tls.port != server.port,
            "FIML_TLS_PORT=\(tls.port) is not allowed: FIML_PORT is the same")
        require(
            webSocket.requestBurst >= webSocket.requestsPerSecond,
            "FIML_WS_REQUEST_BURST=\(webSocket.requestBurst) is not allowed: "
                + "at least FIML_WS_REQUESTS_PER_SECOND (\(webSocket.requestsPerSecond))")
        require(
            webSocket.maxInflatedBytes >= webSocket.maxMessageBytes,
            "FIML_WS_MAX_INFLATED_BYTES=\(webSocket.maxInflatedBytes) is not allowed: "
                + "at least FIML_WS_MAX_MESSAGE_BYTES (\(webSocket.maxMessageBytes))")
        require(
            webSocket.pongTimeout <= webSocket.pingInterval,
            "FIML_WS_PONG_TIMEOUT_SECONDS=\(webSocket.pongTimeout.components.seconds) is not allowed: "
                + "at most FIML_WS_PING_SECONDS (\(webSocket.pingInterval.components.seconds))")
        require(
            sessions.defaultTTL <= sessions.maxTTL,
            "SESSION_DEFAULT_TTL_HOURS=\(sessions.defaultTTL.components.seconds / 3600) is not allowed: "
                + "at most SESSION_MAX_TTL_HOURS (\(sessions.maxTTL.components.seconds / 3600))")
        return problems
    }

    /// What is allowed and hardly meant.
    private var doubts: [String] {
        var doubts: [String] = []
        if server.deployment == .production && server.devEndpoints {
            doubts.append("FIML_DEV_ENDPOINTS is on in production: anyone can use /ws/echo")
        }
        let price = watchdogs.priceAnomaly
        if marketData.source == .live && price.checkInterval > price.window {
            doubts.append(
                "PRICE_ANOMALY_CHECK_INTERVAL is longer than PRICE_ANOMALY_WINDOW_SECONDS: of a live market "
                    + "price_anomaly takes the move from check to check")
        }
        if redis.host == nil && redis != Redis() {
            doubts.append("REDIS_HOST is not set: no Redis is used, whatever else is said of it")
        }
        if postgres.host == nil && postgres != Postgres() {
            doubts.append("POSTGRES_HOST is not set: no PostgreSQL is used, whatever else is said of it")
        }
        if !tls.isOn && tls.certificateFile != nil {
            doubts.append("FIML_TLS_CERT_FILE is set, but TLS is off: FIML_TLS_PORT is 0")
        }
        return doubts
    }
}
