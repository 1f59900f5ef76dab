// What can be set of the analysis workers. Initial values are FIML's.

extension Settings {
    /// The pools of analysis workers.
    public struct Workers: Hashable, Sendable {
        /// Workers of a type; macro, correlation, risk and options have half as many.
        public var poolSize = 8
        /// Tasks that one worker has at once, the one that it works on included.
        public var maxConcurrentTasks = 50
        /// How long one try of a task may take.
        public var taskTimeout = Duration.seconds(120)
        /// So often a failed task is tried again.
        public var retryAttempts = 3
        /// Pause before a task is tried again; each is longer or shorter by up to a quarter.
        public var retryDelay = Duration.seconds(5)
        /// How often the health of all workers is looked at.
        public var healthCheckInterval = Duration.seconds(60)
        /// Memory of one worker host, in MiB.
        public var memoryLimitMB = 2048
        /// Cores that one worker host may use.
        public var cpuLimit = 2.0
        /// A worker not heard of for so long is unhealthy, and its host is started again.
        public var maxHeartbeatAge = Duration.seconds(120)
        /// A worker of whose last tasks more than this part failed is unhealthy.
        public var errorRateThreshold = 0.5
        /// So many failures in a row open a worker's circuit.
        public var circuitBreakerThreshold = 5
        /// An open circuit lets one task try after so long.
        public var circuitBreakerTimeout = Duration.seconds(60)
        /// The program of a worker host; nil is the gateway's own.
        public var executable: String?
        /// The types that are switched off.
        private var disabled: Set<String> = []

        /// FIML's defaults.
        public init() {}

        /// Whether workers of a type run: `macro`.
        public subscript(isEnabled type: String) -> Bool {
            get { !disabled.contains(type) }
            set { if newValue { disabled.remove(type) } else { disabled.insert(type) } }
        }
    }

    /// Analyses on request.
    public struct Analysis: Hashable, Sendable {
        /// How long the result of a task can be asked for.
        public var resultTTL = Duration.seconds(3600)
        /// How long an analysis may take, its wait included.
        public var timeout = Duration.seconds(300)
        /// Analyses under way at once.
        public var maxConcurrent = 100
        /// Analyses that wait for their turn; more are answered 503.
        public var maxQueued = 1000
        /// How long a finding from prices of the moment counts: options.
        public var priceTTL = Duration.seconds(10)
        /// How long one from reports counts: fundamentals.
        public var fundamentalsTTL = Duration.seconds(3600)
        /// How long one from daily bars counts: technical, risk, correlation.
        public var technicalTTL = Duration.seconds(300)
        /// How long one from articles counts: news, sentiment.
        public var newsTTL = Duration.seconds(600)
        /// How long one from figures of the economy counts: macro.
        public var macroTTL = Duration.seconds(86_400)

        /// FIML's defaults.
        public init() {}
    }

    /// The language model that interprets figures, where one is configured.
    public struct AzureOpenAI: Hashable, Sendable {
        /// Where it is; nil: rules interpret.
        public var endpoint: String?
        /// Its key.
        public var apiKey: String?
        /// The deployment's name.
        public var deployment: String?
        /// The version of the API.
        public var apiVersion = "2024-10-21"
        /// How long an interpretation may take.
        public var timeout = Duration.seconds(20)
        /// Tokens of one interpretation at most.
        public var maxTokens = 400
        /// Tokens a day at most, of questions and answers together; then rules interpret.
        public var tokensPerDay = 1_000_000

        /// Not configured.
        public init() {}

        /// Whether everything that it needs is set.
        public var isConfigured: Bool { endpoint != nil && apiKey != nil && deployment != nil }
    }
}
