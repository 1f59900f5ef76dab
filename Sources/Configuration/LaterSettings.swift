/// Names that the guide and FIML know and this version does not use yet. Setting one is no error: it is said
/// aloud and has no effect.
enum LaterSettings {
    static let names: Set<String> = [
        "SENTRY_DSN", "API_KEY_HEADER", "SECRET_KEY", "ENABLE_RATE_LIMITING", "MAX_REQUESTS_PER_MINUTE",
    ]
}
