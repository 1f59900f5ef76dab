/// Names that the guide and FIML know and this version does not use yet. Setting one is no error: it is said
/// aloud and has no effect.
enum LaterSettings {
    static let names: Set<String> = Set(storage + access)

    private static let storage = [
        "REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_PASSWORD", "REDIS_SOCKET_TIMEOUT", "POSTGRES_HOST",
        "POSTGRES_PORT", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_POOL_SIZE",
        "SESSION_DEFAULT_TTL_HOURS", "SESSION_MAX_TTL_HOURS",
    ]

    private static let access = [
        "SENTRY_DSN", "API_KEY_HEADER", "SECRET_KEY", "ENABLE_RATE_LIMITING", "MAX_REQUESTS_PER_MINUTE",
    ]
}
