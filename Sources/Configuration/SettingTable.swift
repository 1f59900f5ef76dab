/// Every setting that is in effect, in the order in which they are shown: the one place that `serve`,
/// `check-config`, `print-config` and the README's table are made from.
public enum SettingTable {
    /// Settings that belong together.
    public struct Section: Sendable {
        /// The heading.
        public let title: String
        /// In the order in which they are shown.
        public let settings: [Setting]
    }

    /// All of them.
    public static let sections = [
        Section(title: "Server", settings: server),
        Section(title: "TLS", settings: tls),
        Section(title: "Browsers", settings: browsers),
        Section(title: "HTTP", settings: http),
        Section(title: "WebSocket", settings: webSocket),
        Section(title: "Watchdogs", settings: watchdogs),
        Section(title: "What the watchdogs watch", settings: eachWatchdog),
        Section(title: "Event store", settings: eventStore),
        Section(title: "Several nodes", settings: nodes),
        Section(title: "Analysis workers", settings: workers),
        Section(title: "Analyses", settings: analysis),
        Section(title: "Results and sessions", settings: resultsAndSessions),
        Section(title: "Language model", settings: languageModel),
        Section(title: "Market data", settings: marketData),
        Section(title: "Providers of live market data", settings: providers),
    ]

    private static let server: [Setting] = [
        .choice(
            "FIML_ENV", \.server.deployment,
            "What the deployment is for; `production` warns of development settings."),
        Setting(
            "FIML_HOST", \.server.host, kind: .text, allowed: "an IPv4 or IPv6 address",
            "Address to listen on; `0.0.0.0` or `::` for every interface.", value: host, text: { $0 }),
        .integer(
            "FIML_PORT", \.server.port, 0...65_535, unit: "TCP port",
            "Port for plain HTTP and WebSocket; 0 takes any free one."),
        .integer(
            "FIML_EVENT_LOOPS", \.server.eventLoops, 0...64, unit: "threads", "Event loops; 0: one a core."),
        .integer(
            "FIML_MAX_CONNECTIONS", \.server.maxConnections, 1...1_000_000, unit: "connections",
            "Connections open at once; more are answered with 503."),
        Setting(
            "FIML_DATA_DIR", \.server.dataDirectory, kind: .path, allowed: "the path of a directory",
            "Directory for what must survive a restart: events, what fires, results, sessions, histories.",
            value: { Setting.isPath($0) ? $0 : nil }, text: { $0 }),
        .bool("FIML_DEV_ENDPOINTS", \.server.devEndpoints, "Offers `/ws/echo` for conformance suites."),
        .choice("FIML_LOG_LEVEL", \.server.logLevel, "Records below this level are not logged."),
        .seconds(
            "FIML_DRAIN_SECONDS", \.server.drainTime, 0...30,
            "How long a stop waits for connections to finish."),
    ]

    private static let tls: [Setting] = [
        .integer(
            "FIML_TLS_PORT", \.tls.port, 0...65_535, unit: "TCP port", "Port for HTTPS and WSS; 0 is off."),
        .file(
            "FIML_TLS_CERT_FILE", \.tls.certificateFile,
            "PEM file of the certificate chain, the server's own first."),
        .file("FIML_TLS_KEY_FILE", \.tls.keyFile, "PEM file of the private key."),
        .seconds(
            "FIML_TLS_HANDSHAKE_TIMEOUT_SECONDS", \.tls.handshakeTimeout, 1...300,
            "How long a handshake may take."),
    ]

    private static let browsers: [Setting] = [
        .bool("ENABLE_CORS", \.cors.isEnabled, "Whether answers carry CORS fields."),
        Setting(
            "CORS_ORIGINS", \.cors.origins, kind: .origins,
            allowed: "* or origins such as https://app.example.com, separated by commas",
            "Origins whose pages may read answers and open a WebSocket.",
            value: { AllowedOrigins($0) }, text: \.description),
    ]

    private static let http: [Setting] = [
        .integer(
            "FIML_HTTP_MAX_REQUEST_LINE_BYTES", \.http.maxRequestLineBytes, 1024...65_536, unit: "bytes",
            "Longest request line; a longer one is answered with 414."),
        .integer(
            "FIML_HTTP_MAX_FIELDS_BYTES", \.http.maxFieldsBytes, 1024...1_048_576, unit: "bytes",
            "All fields of a request together; more are answered with 431."),
        .integer(
            "FIML_HTTP_MAX_FIELDS", \.http.maxFields, 8...1000, unit: "fields",
            "Fields of a request; more are answered with 431."),
        .integer(
            "FIML_HTTP_MAX_BODY_BYTES", \.http.maxBodyBytes, 1024...67_108_864, unit: "bytes",
            "Largest content of a request; more is answered with 413."),
        .seconds(
            "FIML_HTTP_HEADER_TIMEOUT_SECONDS", \.http.headerTimeout, 1...300,
            "From a request's first byte to the end of its fields."),
        .seconds(
            "FIML_HTTP_BODY_TIMEOUT_SECONDS", \.http.bodyTimeout, 1...3600,
            "From the end of the fields to the end of the content."),
        .seconds(
            "FIML_HTTP_IDLE_TIMEOUT_SECONDS", \.http.idleTimeout, 1...3600,
            "A connection without a request is closed after this."),
    ]

    private static let webSocket: [Setting] = [
        .seconds(
            "FIML_HEARTBEAT_SECONDS", \.webSocket.heartbeat, 1...3600, "How often a `heartbeat` is sent."),
        .integer(
            "FIML_WS_MAX_MESSAGE_BYTES", \.webSocket.maxMessageBytes, 1024...16_777_216, unit: "bytes",
            "Largest message of a client as received."),
        .integer(
            "FIML_WS_MAX_INFLATED_BYTES", \.webSocket.maxInflatedBytes, 1024...67_108_864, unit: "bytes",
            "Largest message of a client once inflated."),
        .integer(
            "FIML_WS_MAX_SUBSCRIPTIONS", \.webSocket.maxSubscriptions, 1...10_000, unit: "subscriptions",
            "Subscriptions of one connection."),
        .integer(
            "FIML_WS_REQUESTS_PER_SECOND", \.webSocket.requestsPerSecond, 1...10_000,
            unit: "requests per second",
            "Requests of one client in the long run."),
        .integer(
            "FIML_WS_REQUEST_BURST", \.webSocket.requestBurst, 1...100_000, unit: "requests",
            "Requests of one client at once."),
        .integer(
            "FIML_WS_SEND_QUEUE_BYTES", \.webSocket.sendQueueBytes, 65_536...1_073_741_824, unit: "bytes",
            "Bytes that may wait for one connection; over half of it the lowest severities are left out."),
        .seconds(
            "FIML_WS_STALL_SECONDS", \.webSocket.stallTime, 1...3600,
            "A connection that takes nothing for this long is closed with 4102."),
        .seconds(
            "FIML_WS_PING_SECONDS", \.webSocket.pingInterval, 1...3600,
            "A silent connection is pinged after this."),
        .seconds(
            "FIML_WS_PONG_TIMEOUT_SECONDS", \.webSocket.pongTimeout, 1...3600,
            "A pinged connection that stays silent this long is closed with 4201."),
    ]

    /// A numeric address: names are looked up nowhere, so that a start never waits for a resolver.
    @Sendable private static func host(_ text: String) -> String? {
        isAddress(text) ? text : nil
    }
}
