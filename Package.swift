// swift-tools-version: 6.1
import PackageDescription

// Arrows point down only: C modules ← pure ← system ← services ← composition.
let package = Package(
    name: "fiml-gateway",
    products: [
        .executable(name: "fiml-gateway", targets: ["fiml-gateway"]),
        .library(name: "FIMLWatchdogs", targets: ["FIMLWatchdogs"]),
        .library(name: "FIMLAgents", targets: ["FIMLAgents"]),
    ],
    targets: [
        // C modules: headers only, nothing compiled.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Debian's libhiredis-dev names a flag that the package manager does not allow: no pkg-config.
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // Pure: no system call, no clock, no thread.
        .target(name: "HTTP"),
        .target(name: "WebSocket", dependencies: ["COpenSSL", "CZlib"]),
        .target(name: "FIMLCore"),
        .target(name: "Broadcast", dependencies: ["FIMLCore", "Locking", "WebSocket"]),

        // System: the only modules that touch the kernel.
        .target(name: "Locking"),
        .target(name: "LinuxSystem", dependencies: ["CLinux"]),
        .target(name: "TLS", dependencies: ["COpenSSL"]),
        .target(name: "WebClient", dependencies: ["CCurl", "LinuxSystem", "Locking"]),
        .target(name: "EventLoop", dependencies: ["LinuxSystem", "Locking"]),
        .target(
            name: "Transport",
            dependencies: ["Broadcast", "EventLoop", "HTTP", "LinuxSystem", "TLS", "WebSocket"]),

        // Services.
        .target(name: "Configuration", dependencies: ["Observability"]),
        .target(name: "Observability", dependencies: ["Locking"]),
        .target(
            name: "EventStore",
            dependencies: ["Broadcast", "COpenSSL", "FIMLCore", "LinuxSystem", "Locking"]),
        .target(
            name: "SQLiteStore",
            dependencies: ["CSQLite", "EventStore", "FIMLCore", "LinuxSystem", "Locking"]),
        .target(
            name: "RedisStore",
            dependencies: ["CHiredis", "EventStore", "FIMLCore", "LinuxSystem", "Locking"]),
        .target(
            name: "RemoteWorkers",
            dependencies: [
                "Analysis", "EventStore", "FIMLAgents", "FIMLCore", "LinuxSystem", "Locking", "RedisStore",
            ]),
        .target(
            name: "PostgresStore", dependencies: ["CPostgres", "EventStore", "LinuxSystem", "Locking"]),
        .target(name: "MarketData", dependencies: ["FIMLCore"], resources: [.copy("Recording")]),
        .target(
            name: "MarketProviders",
            dependencies: ["FIMLCore", "HTTP", "LinuxSystem", "Locking", "MarketData", "WebClient"]),
        .target(name: "PublicSchema", resources: [.copy("../../public-schema")]),
        .target(
            name: "FIMLWatchdogs",
            dependencies: ["Configuration", "FIMLCore", "LinuxSystem", "Locking", "MarketData"]),
        .target(name: "Analysis", dependencies: ["FIMLCore", "MarketData"]),
        .target(
            name: "FIMLAgents",
            dependencies: [
                "Analysis", "CLinux", "Configuration", "FIMLCore", "LinuxSystem", "Locking", "MarketData",
                "WebClient",
            ]),

        // Composition.
        .target(
            name: "Gateway",
            dependencies: [
                "Analysis", "Broadcast", "Configuration", "EventLoop", "EventStore", "FIMLAgents", "FIMLCore",
                "FIMLWatchdogs", "HTTP", "LinuxSystem", "Locking", "MarketData", "MarketProviders",
                "Observability", "PostgresStore", "PublicSchema", "RedisStore", "RemoteWorkers",
                "SQLiteStore", "TLS", "Transport", "WebClient", "WebSocket",
            ]),
        .target(name: "GatewayClient", dependencies: ["COpenSSL", "FIMLCore", "LinuxSystem", "WebSocket"]),
        .executableTarget(
            name: "fiml-gateway", dependencies: ["Configuration", "FIMLCore", "Gateway", "GatewayClient"]),

        // Measures the gateway against the least that the kernel allows: `scripts/bench`.
        .executableTarget(
            name: "gateway-bench",
            dependencies: [
                "CLinux", "Configuration", "COpenSSL", "FIMLCore", "FIMLWatchdogs", "HTTP", "LinuxSystem",
                "Locking", "MarketData", "MarketProviders", "WebSocket",
            ],
            path: "Sources/GatewayBenchmarks", exclude: ["Comparison"]),

        // What the tests share.
        .target(name: "GatewayTesting", path: "Tests/GatewayTesting"),
        .testTarget(name: "HTTPTests", dependencies: ["GatewayTesting", "HTTP"]),
        .testTarget(name: "WebSocketTests", dependencies: ["GatewayTesting", "WebSocket"]),
        .testTarget(name: "FIMLCoreTests", dependencies: ["FIMLCore", "GatewayTesting", "PublicSchema"]),
        .testTarget(
            name: "BroadcastTests", dependencies: ["Broadcast", "FIMLCore", "GatewayTesting", "WebSocket"]),
        .testTarget(name: "EventLoopTests", dependencies: ["EventLoop", "LinuxSystem"]),
        .testTarget(
            name: "EventStoreTests",
            dependencies: ["Broadcast", "EventStore", "FIMLCore", "GatewayTesting", "Locking"]),
        .testTarget(
            name: "SQLiteStoreTests",
            dependencies: ["EventStore", "FIMLCore", "GatewayTesting", "Locking", "SQLiteStore"]),
        .testTarget(
            name: "RedisStoreTests",
            dependencies: [
                "Analysis", "Configuration", "EventStore", "FIMLAgents", "FIMLCore", "GatewayTesting",
                "LinuxSystem", "Locking", "MarketData", "RedisStore", "RemoteWorkers",
            ]),
        .testTarget(
            name: "PostgresStoreTests",
            dependencies: ["EventStore", "GatewayTesting", "LinuxSystem", "Locking", "PostgresStore"]),
        .testTarget(name: "TLSTests", dependencies: ["COpenSSL", "TLS"]),
        .testTarget(name: "ConfigurationTests", dependencies: ["Configuration"]),
        .testTarget(name: "ObservabilityTests", dependencies: ["Locking", "Observability"]),
        .testTarget(name: "MarketDataTests", dependencies: ["FIMLCore", "GatewayTesting", "MarketData"]),
        .testTarget(
            name: "WebClientTests", dependencies: ["GatewayTesting", "HTTP", "MarketProviders", "WebClient"]),
        .testTarget(
            name: "MarketProvidersTests",
            dependencies: [
                "FIMLCore", "GatewayTesting", "HTTP", "MarketData", "MarketProviders", "WebClient",
            ]),
        .testTarget(
            name: "FIMLWatchdogsTests",
            dependencies: [
                "Configuration", "FIMLCore", "FIMLWatchdogs", "GatewayTesting", "Locking", "MarketData",
            ]),
        .testTarget(
            name: "AnalysisTests",
            dependencies: ["Analysis", "FIMLCore", "GatewayTesting", "MarketData", "MarketProviders"]),
        // Hosts whose workers misbehave, and a parent of one: what the tests of worker hosts start.
        .executableTarget(
            name: "faulty-worker",
            dependencies: ["Analysis", "FIMLAgents", "FIMLCore", "LinuxSystem"],
            path: "Tests/FaultyWorker"),
        .testTarget(
            name: "FIMLAgentsTests",
            dependencies: [
                "Analysis", "Configuration", "FIMLAgents", "FIMLCore", "faulty-worker", "GatewayTesting",
                "HTTP", "LinuxSystem", "Locking", "MarketData", "MarketProviders", "WebClient",
            ]),
        .testTarget(
            name: "GatewayTests",
            dependencies: ["EventStore", "FIMLAgents", "Gateway", "LinuxSystem", "Locking"]),
        .testTarget(
            name: "GatewayClientTests",
            dependencies: ["FIMLCore", "fiml-gateway", "GatewayClient", "LinuxSystem", "WebSocket"]),
        .testTarget(
            name: "GatewayBenchmarksTests",
            dependencies: [
                "Configuration", "FIMLCore", "FIMLWatchdogs", "MarketData", "WebSocket", "gateway-bench",
            ]),
        .testTarget(name: "StyleTests"),
    ],
    swiftLanguageModes: [.v6]
)
