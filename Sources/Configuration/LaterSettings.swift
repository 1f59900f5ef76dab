/// Names that the guide and FIML know and this version does not use yet. Setting one is no error: it is said
/// aloud and has no effect.
enum LaterSettings {
    static let names: Set<String> = Set(
        workers + storage + access + analysis)

    private static let workers =
        [
            "WORKER_POOL_SIZE", "WORKER_MAX_CONCURRENT_TASKS", "WORKER_TASK_TIMEOUT", "WORKER_RETRY_ATTEMPTS",
            "WORKER_RETRY_DELAY", "WORKER_HEALTH_CHECK_INTERVAL", "WORKER_MEMORY_LIMIT_MB",
            "WORKER_CPU_LIMIT",
            "WORKER_MAX_HEARTBEAT_AGE", "WORKER_ERROR_RATE_THRESHOLD", "WORKER_CIRCUIT_BREAKER_THRESHOLD",
            "WORKER_CIRCUIT_BREAKER_TIMEOUT",
        ]
        + ["FUNDAMENTALS", "TECHNICAL", "MACRO", "SENTIMENT", "CORRELATION", "RISK", "NEWS", "OPTIONS"]
        .map { "ENABLE_\($0)_WORKER" }

    private static let storage = [
        "REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_PASSWORD", "REDIS_SOCKET_TIMEOUT", "POSTGRES_HOST",
        "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_POOL_SIZE",
        "SESSION_DEFAULT_TTL_HOURS", "SESSION_MAX_TTL_HOURS",
    ]

    private static let access = [
        "SENTRY_DSN", "API_KEY_HEADER", "SECRET_KEY", "ENABLE_RATE_LIMITING", "MAX_REQUESTS_PER_MINUTE",
    ]

    private static let analysis = [
        "TASK_RESULT_TTL", "ASYNC_TASK_TIMEOUT", "MAX_CONCURRENT_TASKS", "CACHE_TTL_PRICE",
        "CACHE_TTL_FUNDAMENTALS",
        "CACHE_TTL_TECHNICAL", "CACHE_TTL_NEWS", "CACHE_TTL_MACRO", "AZURE_OPENAI_ENDPOINT",
        "AZURE_OPENAI_API_KEY",
        "AZURE_OPENAI_DEPLOYMENT_NAME", "AZURE_OPENAI_API_VERSION",
    ]
}
