import HTTP
import LinuxSystem
import Locking
import MarketProviders

/// A provider on this machine whose price crosses the threshold of `price_anomaly` with each quote, once it
/// moves: up by 6.4 %, down by 6 %, and so on. Everything but Binance's ticker it answers with 404.
final class CrossingProvider: Sendable {
    private struct State {
        var isMoving = false
        /// When each crossing quote was handed out, in nanoseconds.
        var handedOut: [UInt64] = []
    }

    private let state: Locked<State>
    private let server: ScriptedServer

    /// One whose price stands still.
    init() throws(BenchmarkError) {
        let state = Locked(State())
        self.state = state
        server = try doing("the provider") { () throws(SystemCallError) in
            try ScriptedServer { request in Self.reply(to: request, state) }
        }
    }

    /// Settings that make it all providers of a gateway.
    var environment: [String: String] {
        Dictionary(
            uniqueKeysWithValues: ProviderName.allCases.map {
                ("\($0.rawValue.uppercased())_BASE_URL", server.baseURL)
            })
    }

    /// From the next quote on each crosses the threshold.
    func beginMoving() {
        state.withLock { $0.isMoving = true }
    }

    /// When the crossing quote with that number, counted from 0, was handed out; nil where it was not yet.
    func handedOut(_ number: Int) -> UInt64? {
        state.withLock { $0.handedOut.count > number ? $0.handedOut[number] : nil }
    }

    private static func reply(to request: HTTPRequest, _ state: Locked<State>) -> ScriptedReply {
        guard request.path == "/api/v3/ticker/24hr" else { return ScriptedReply(404, "{}") }
        let price = state.withLock { state in
            // Just before it is written: what the server itself needs for that counts as well.
            if state.isMoving { state.handedOut.append(monotonicNanoseconds()) }
            return state.handedOut.count % 2 == 0 ? "94" : "100"
        }
        return ScriptedReply(200, #"{"lastPrice":"\#(price)","closeTime":\#(wallMilliseconds())}"#)
    }
}
