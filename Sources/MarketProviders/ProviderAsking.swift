import MarketData

/// Asks providers. The real one goes over the network, with their limits kept; in tests anything may answer.
public protocol ProviderAsking: Sendable {
    /// The figures of an endpoint. Throws when the provider did not answer, or with nothing that can be used.
    func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError) -> Figures
}

/// How long the bars are that a provider is asked for.
public enum BarInterval: Sendable {
    case minute, day

    /// Its length in seconds.
    public var seconds: Int64 {
        switch self {
        case .minute: 60
        case .day: 86_400
        }
    }
}
