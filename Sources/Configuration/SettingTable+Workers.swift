extension SettingTable {
    static let workers: [Setting] =
        [
            .integer(
                "WORKER_POOL_SIZE", \.workers.poolSize, 1...64, unit: "workers",
                "Workers of a type; `macro`, `correlation`, `risk` and `options` have half as many."),
            .integer(
                "WORKER_MAX_CONCURRENT_TASKS", \.workers.maxConcurrentTasks, 1...1_000, unit: "tasks",
                "Tasks that one worker has at once, the one that it works on included."),
            .seconds(
                "WORKER_TASK_TIMEOUT", \.workers.taskTimeout, 1...3_600,
                "How long one try of a task may take."),
            .integer(
                "WORKER_RETRY_ATTEMPTS", \.workers.retryAttempts, 0...10, unit: "tries after the first",
                "So often a failed task is tried again."),
            .seconds(
                "WORKER_RETRY_DELAY", \.workers.retryDelay, 0...300,
                "Pause before a task is tried again, a quarter more or less."),
            .seconds(
                "WORKER_HEALTH_CHECK_INTERVAL", \.workers.healthCheckInterval, 1...86_400,
                "How often the health of all workers is looked at and changes are told."),
            .integer(
                "WORKER_MEMORY_LIMIT_MB", \.workers.memoryLimitMB, 64...1_048_576, unit: "MiB",
                "Memory of one worker host: the process of all workers of a type."),
            .decimal(
                "WORKER_CPU_LIMIT", \.workers.cpuLimit, 0.1...64, unit: "cores",
                "Cores that one worker host may use."),
            .seconds(
                "WORKER_MAX_HEARTBEAT_AGE", \.workers.maxHeartbeatAge, 10...3_600,
                "A worker not heard of for so long is unhealthy, and its host is started again."),
            .decimal(
                "WORKER_ERROR_RATE_THRESHOLD", \.workers.errorRateThreshold, 0.01...1,
                unit: "of the last 100 tasks",
                "A worker of whose tasks a larger part fails is unhealthy."),
            .integer(
                "WORKER_CIRCUIT_BREAKER_THRESHOLD", \.workers.circuitBreakerThreshold, 1...1_000,
                unit: "failures",
                "So many in a row open a worker's circuit: it gets no tasks."),
            .seconds(
                "WORKER_CIRCUIT_BREAKER_TIMEOUT", \.workers.circuitBreakerTimeout, 1...3_600,
                "After so long one task tries whether the worker is back."),
            Setting(
                "WORKER_EXECUTABLE", \.workers.executable, kind: .path, allowed: "the path of a program",
                "The program of a worker host, given the workers' type; not set: the gateway itself.",
                value: { Setting.isPath($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        ]
        + workerTypes.map { type in
            .bool(
                "ENABLE_\(type.uppercased())_WORKER", \.workers[isEnabled: type],
                "Whether workers of the type `\(type)` run.")
        }

    /// The types of workers.
    public static let workerTypes = [
        "fundamentals", "technical", "macro", "sentiment", "correlation", "risk", "news", "options",
    ]

    static let analysis: [Setting] = [
        .integer(
            "MAX_CONCURRENT_TASKS", \.analysis.maxConcurrent, 1...10_000, unit: "analyses",
            "Analyses under way at once."),
        .integer(
            "MAX_QUEUED_TASKS", \.analysis.maxQueued, 0...100_000, unit: "analyses",
            "Analyses that wait for their turn; more are answered with 503."),
        .seconds(
            "ASYNC_TASK_TIMEOUT", \.analysis.timeout, 1...3_600,
            "How long an analysis may take, its wait included."),
        .seconds(
            "TASK_RESULT_TTL", \.analysis.resultTTL, 1...604_800,
            "How long the result of a task can be asked for."),
        .seconds(
            "CACHE_TTL_PRICE", \.analysis.priceTTL, 0...604_800,
            "How long a finding of `options` is given again; 0: not at all."),
        .seconds(
            "CACHE_TTL_FUNDAMENTALS", \.analysis.fundamentalsTTL, 0...604_800,
            "How long one of `fundamentals` is."),
        .seconds(
            "CACHE_TTL_TECHNICAL", \.analysis.technicalTTL, 0...604_800,
            "How long one of `technical`, `risk` and `correlation` is."),
        .seconds(
            "CACHE_TTL_NEWS", \.analysis.newsTTL, 0...604_800, "How long one of `news` and `sentiment` is."),
        .seconds("CACHE_TTL_MACRO", \.analysis.macroTTL, 0...604_800, "How long one of `macro` is."),
    ]

    static let languageModel: [Setting] = [
        Setting(
            "AZURE_OPENAI_ENDPOINT", \.azureOpenAI.endpoint, kind: .text,
            allowed: "http:// or https://, a host, and a path where there is one",
            "Where Azure OpenAI answers; rules interpret figures where it is not set.",
            value: { baseURL($0).map(Optional.some) }, text: { $0 ?? "" }),
        Setting(
            "AZURE_OPENAI_API_KEY", \.azureOpenAI.apiKey, kind: .text,
            allowed: "printable ASCII without spaces", isSecret: true, "Its key.",
            value: { isKey($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        Setting(
            "AZURE_OPENAI_DEPLOYMENT_NAME", \.azureOpenAI.deployment, kind: .text,
            allowed: "1 to 64 letters, digits, or . - _", "The deployment of a chat model.",
            value: { isIdentifier($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        Setting(
            "AZURE_OPENAI_API_VERSION", \.azureOpenAI.apiVersion, kind: .text,
            allowed: "1 to 64 letters, digits, or . - _", "The version of the API.",
            value: { isIdentifier($0) ? $0 : nil }, text: { $0 }),
        .seconds(
            "AZURE_OPENAI_TIMEOUT_SECONDS", \.azureOpenAI.timeout, 1...300,
            "How long an interpretation may take; then rules decide."),
        .integer(
            "AZURE_OPENAI_MAX_TOKENS", \.azureOpenAI.maxTokens, 64...4_096, unit: "tokens",
            "Tokens of one interpretation at most."),
        .integer(
            "AZURE_OPENAI_TOKENS_PER_DAY", \.azureOpenAI.tokensPerDay, 0...1_000_000_000, unit: "tokens",
            "Tokens a day (UTC) at most, questions and answers together; then rules decide."),
    ]

    /// 1 to 64 letters, digits, or `.`, `-`, `_`.
    @Sendable static func isIdentifier(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte & 0xDF)
                    || ".-_".utf8.contains(byte)
            }
    }
}
