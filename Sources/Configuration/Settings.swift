import Observability

/// Everything that can be set, with its defaults: `Settings()` is the gateway as it starts with nothing set.
///
/// A property's initial value is its default and stands nowhere else; `SettingTable` says by which name, in
/// which range and with which unit a user sets it. `Settings.load` fills one from the environment and a
/// `.env` file.
public struct Settings: Sendable {
    /// Where the gateway listens and how large it may grow.
    public var server = Server()
    /// TLS, off until a port is set.
    public var tls = TLS()
    /// Which web pages may talk to the gateway.
    public var cors = CORS()
    /// Limits of the HTTP/1.1 server.
    public var http = HTTP()
    /// Limits of a WebSocket connection.
    public var webSocket = WebSocket()
    /// The watchdogs and their event stream.
    public var watchdogs = Watchdogs()
    /// How much of the event stream is kept.
    public var eventStore = EventStore()
    /// The Redis through which several gateways share one event stream.
    public var redis = Redis()
    /// How they work together.
    public var cluster = Cluster()
    /// The pools of analysis workers.
    public var workers = Workers()
    /// Analyses on request.
    public var analysis = Analysis()
    /// The PostgreSQL that keeps results and sessions.
    public var postgres = Postgres()
    /// What is kept for clients that come back.
    public var sessions = Sessions()
    /// The language model that interprets figures.
    public var azureOpenAI = AzureOpenAI()
    /// What the watchdogs watch, and the workers judge.
    public var marketData = MarketData()

    /// All defaults.
    public init() {}

    /// What the deployment is for.
    public enum Deployment: String, CaseIterable, Sendable {
        case development, test, staging, production
    }

    /// Where market data come from.
    public enum MarketDataSource: String, CaseIterable, Sendable {
        /// A recorded market.
        case replay
        /// Public APIs.
        case live
    }

    /// Where the gateway listens and how large it may grow.
    public struct Server: Sendable {
        /// What the deployment is for.
        public var deployment = Deployment.development
        /// Address to listen on. FIML listens on 0.0.0.0; a start without settings should not be
        /// reachable from other machines.
        public var host = "127.0.0.1"
        /// TCP port for plain HTTP and WebSocket; 0 lets the kernel choose a free one.
        public var port = 8000
        /// Event-loop threads; 0 is one a core.
        public var eventLoops = 0
        /// Connections that may be open at once, all loops together.
        public var maxConnections = 100_000
        /// Directory for what must survive a restart.
        public var dataDirectory = "data"
        /// Whether `/ws/echo` and the like exist.
        public var devEndpoints = false
        /// Records below this level are not logged.
        public var logLevel = LogLevel.info
        /// How long a stop waits for connections to finish.
        public var drainTime = Duration.seconds(5)
    }

    /// TLS, off until a port is set.
    public struct TLS: Sendable {
        /// TCP port for TLS; 0 is off.
        public var port = 0
        /// PEM file of the certificate chain, the server's own first.
        public var certificateFile: String?
        /// PEM file of the private key.
        public var keyFile: String?
        /// How long a handshake may take.
        public var handshakeTimeout = Duration.seconds(10)

        /// Whether there is a TLS port.
        public var isOn: Bool { port != 0 }
    }

    /// Which web pages may talk to the gateway.
    public struct CORS: Sendable {
        /// Whether answers carry CORS fields.
        public var isEnabled = true
        /// Origins that may read answers and open a WebSocket.
        public var origins = AllowedOrigins.any
    }

    /// Limits of the HTTP/1.1 server.
    public struct HTTP: Sendable {
        /// Longest request line, in bytes.
        public var maxRequestLineBytes = 8192
        /// All fields of a request together, in bytes.
        public var maxFieldsBytes = 16_384
        /// Fields of a request.
        public var maxFields = 100
        /// Largest content of a request, in bytes.
        public var maxBodyBytes = 1_048_576
        /// From a request's first byte to the end of its fields.
        public var headerTimeout = Duration.seconds(10)
        /// From the end of the fields to the end of the content.
        public var bodyTimeout = Duration.seconds(30)
        /// A kept-alive connection without a request.
        public var idleTimeout = Duration.seconds(60)
    }

    /// Limits of a WebSocket connection.
    public struct WebSocket: Sendable {
        /// How often a `heartbeat` message is sent.
        public var heartbeat = Duration.seconds(15)
        /// Largest message from a client as received, in bytes.
        public var maxMessageBytes = 16_384
        /// Largest message from a client once inflated, in bytes.
        public var maxInflatedBytes = 65_536
        /// Subscriptions of one connection.
        public var maxSubscriptions = 64
        /// Requests a client may send per second in the long run.
        public var requestsPerSecond = 10
        /// Requests a client may send at once.
        public var requestBurst = 20
        /// Bytes that may wait for one connection.
        public var sendQueueBytes = 1_048_576
        /// A connection that takes nothing for this long while bytes wait is closed with 4102.
        public var stallTime = Duration.seconds(10)
        /// A silent connection is pinged after this.
        public var pingInterval = Duration.seconds(25)
        /// A pinged connection that stays silent this long is closed with 4201.
        public var pongTimeout = Duration.seconds(10)
    }

    /// The watchdogs and their event stream.
    public struct Watchdogs: Sendable {
        /// Master switch.
        public var isEnabled = true
        /// Whether what the watchdogs find enters the event stream.
        public var eventStreamIsEnabled = true
        /// Whether the event stream, what fires and the history of a live market outlive a restart.
        public var persistsState = true
        /// Whether the event stream is broadcast to WebSocket subscribers.
        public var webSocketBroadcast = true
        /// Events held ready in memory; older ones are read from the store.
        public var maxEventsInMemory = 1000
        /// So many failed checks in a row make a watchdog unhealthy.
        public var failureThreshold = 3
        /// Without anything fresh to judge for so long a watchdog is stale.
        public var staleAfter = Duration.seconds(300)
        /// How often the health of all watchdogs is looked at, to tell of those that are not well.
        public var healthCheckInterval = Duration.seconds(60)
        /// How long one check may take, all its tries together.
        public var checkTimeout = Duration.seconds(60)
        /// How long after a failed try of a check the next one is made.
        public var retryDelay = Duration.seconds(5)
        /// A condition that lasts is told again with its first new figures after so long.
        public var renotifyAfter = Duration.seconds(14_400)
        /// So many beginnings within an hour make a subject flap: its condition then ends only after calm.
        public var flapCount = 3
        /// Settings of `earnings_anomaly`.
        public var earningsAnomaly = EarningsAnomaly()
        /// Settings of `unusual_volume`.
        public var unusualVolume = UnusualVolume()
        /// Settings of `whale_movement`.
        public var whaleMovement = WhaleMovement()
        /// Settings of `funding_rate`.
        public var fundingRate = FundingRate()
        /// Settings of `liquidity_drop`.
        public var liquidityDrop = LiquidityDrop()
        /// Settings of `correlation_breakdown`.
        public var correlationBreakdown = CorrelationBreakdown()
        /// Settings of `exchange_outage`.
        public var exchangeOutage = ExchangeOutage()
        /// Settings of `price_anomaly`.
        public var priceAnomaly = PriceAnomaly()
    }

    /// What the watchdogs watch, and the workers judge.
    public struct MarketData: Sendable {
        /// Where market data come from.
        public var source = MarketDataSource.replay
        /// Seconds of the recording that pass in a second.
        public var replaySpeed = 86_400
        /// First day that is replayed; nil is the recording's own start.
        public var replayFrom: CalendarDate?
        /// Keys of providers that want one, by the provider's name: `alpha_vantage`.
        public var providerKeys: [String: String] = [:]
        /// Where a provider's API is, where it is not at its usual place, by the provider's name.
        public var providerURLs: [String: String] = [:]
    }
}
