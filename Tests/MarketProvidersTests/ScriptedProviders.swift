import FIMLCore
import MarketData
import Synchronization

@testable import MarketProviders

/// Providers that answer from a table, and remember what they were asked.
final class ScriptedProviders: ProviderAsking {
    private struct State {
        var answers: [String: String] = [:]
        var asked: [String] = []
    }

    private let state = Mutex(State())

    /// What was asked since the last look: paths, of a node the call and its parameters.
    func asked() -> [String] {
        state.withLock { state in
            defer { state.asked = [] }
            return state.asked
        }
    }

    /// Answers a path, or a call of a node (`eth_blockNumber[]`), with a body from now on; nil with none.
    func answer(_ request: String, with body: String?) {
        state.withLock { $0.answers[request] = body }
    }

    /// Decodes what the table has for the request.
    func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError) -> Figures {
        var name = endpoint.request.path
        if let body = endpoint.request.body, let call = try? JSONValue.parse(body) {
            name = (call["method"]?.text ?? "") + String(decoding: call["params"]?.json ?? [], as: UTF8.self)
        }
        let body = state.withLock { state in
            state.asked.append(name)
            return state.answers[name]
        }
        guard let body else { throw MarketDataError("\(endpoint.provider.rawValue) does not answer") }
        return try endpoint.decode([UInt8](body.utf8)).figures
    }
}
