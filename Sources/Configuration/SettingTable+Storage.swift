import Glibc

extension SettingTable {
    static let eventStore: [Setting] = [
        .integer(
            "FIML_EVENTS_KEPT", \.eventStore.kept, 1...10_000_000, unit: "events",
            "The newest so many events are kept; a client that comes from before them has lost some."),
        .hours(
            "FIML_EVENTS_KEPT_HOURS", \.eventStore.keptFor, 0...8_760,
            "Older events are let go of; 0: no limit by age."),
    ]

    static let nodes: [Setting] = [
        Setting(
            "REDIS_HOST", \.redis.host, kind: .text, allowed: hostNames,
            "The Redis through which several gateways are one; none where it is not set.",
            value: { isHost($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        .integer("REDIS_PORT", \.redis.port, 1...65_535, unit: "TCP port", "Its port."),
        .integer("REDIS_DB", \.redis.database, 0...1_024, unit: "database number", "Its database."),
        password("REDIS_PASSWORD", \.redis.password),
        .seconds(
            "REDIS_SOCKET_TIMEOUT", \.redis.socketTimeout, 1...300,
            "How long it may take to answer before it counts as away."),
        Setting(
            "FIML_NODE_ID", \.cluster.nodeID, kind: .text, allowed: "1 to 64 letters, digits, or . - _",
            "What the others call this gateway, each another; made at each start where it is not set.",
            value: { isIdentifier($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        .seconds(
            "FIML_LEASE_SECONDS", \.cluster.leaseTime, 2...300,
            "So long after a node's last sign of life its watchdogs and tasks go to others."),
    ]

    static let resultsAndSessions: [Setting] = [
        Setting(
            "POSTGRES_HOST", \.postgres.host, kind: .text, allowed: hostNames,
            "The PostgreSQL that keeps results and sessions; not set: they are kept with the events.",
            value: { isHost($0) ? .some($0) : .none }, text: { $0 ?? "" }),
        .integer("POSTGRES_PORT", \.postgres.port, 1...65_535, unit: "TCP port", "Its port."),
        Setting(
            "POSTGRES_DB", \.postgres.database, kind: .text, allowed: names,
            "Its database, which must exist; tables are made.",
            value: { isName($0) ? $0 : nil }, text: { $0 }),
        Setting(
            "POSTGRES_USER", \.postgres.user, kind: .text, allowed: names, "The role to log in as.",
            value: { isName($0) ? $0 : nil }, text: { $0 }),
        password("POSTGRES_PASSWORD", \.postgres.password),
        .integer(
            "POSTGRES_POOL_SIZE", \.postgres.poolSize, 1...100, unit: "connections",
            "Connections to it at once."),
        .hours(
            "SESSION_DEFAULT_TTL_HOURS", \.sessions.defaultTTL, 1...8_760,
            "How long after its last use a session is kept whose client does not say."),
        .hours(
            "SESSION_MAX_TTL_HOURS", \.sessions.maxTTL, 1...8_760,
            "How long a client can have it kept."),
    ]

    private static let hostNames = "a host name, or an IPv4 or IPv6 address"
    /// PostgreSQL cuts longer ones (NAMEDATALEN).
    private static let names = "1 to 63 bytes without control characters"

    private static func password(_ name: String, _ property: Setting.Property<String?>) -> Setting {
        Setting(
            name, property, kind: .text, allowed: "1 to 512 bytes without control characters",
            isSecret: true, "Its password; none where it is not set.",
            value: { isText($0, 1...512) ? .some($0) : .none }, text: { $0 ?? "" })
    }

    @Sendable private static func isName(_ text: String) -> Bool {
        isText(text, 1...63)
    }

    private static func isText(_ text: String, _ length: ClosedRange<Int>) -> Bool {
        length.contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// An address, or a name of RFC 1123 with the `_` that container networks use. It is looked up when the
    /// server is connected to, not here.
    @Sendable static func isHost(_ text: String) -> Bool {
        if isAddress(text) { return true }
        guard text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        // A name whose last label is a number would be taken for a wrong address.
        guard let last = labels.last, Int(last) == nil else { return false }
        return labels.allSatisfy { label in
            isIdentifier(label) && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
        }
    }

    /// A numeric address.
    static func isAddress(_ text: String) -> Bool {
        var v4 = in_addr()
        var v6 = in6_addr()
        return inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1
    }
}
