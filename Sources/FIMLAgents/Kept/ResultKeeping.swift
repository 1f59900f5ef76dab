import LinuxSystem

/// How results are kept beyond the process, and by whom.
public struct ResultKeeping: Sendable {
    /// Where they are kept.
    public var stored: any StoredResults
    /// What findings rest on beside the asset: the market, the version, the language model. A finding that
    /// rests on something else is none of ours.
    public var basis: String
    /// This gateway's name; the same after a restart.
    public var node: String
    /// This process: another one after each restart.
    public var incarnation: String
    /// Whether a gateway of that name may still run, in that incarnation.
    public var isAlive: @Sendable (_ node: String, _ incarnation: String) -> Bool
    /// Milliseconds since 1970.
    var now: @Sendable () -> Int64 = { wallMilliseconds() }

    /// Without `isAlive` another gateway is taken to run for as long as an analysis may take.
    public init(
        _ stored: any StoredResults, basis: String, node: String, incarnation: String,
        isAlive: @escaping @Sendable (_ node: String, _ incarnation: String) -> Bool = { _, _ in true }
    ) {
        self.stored = stored
        self.basis = basis
        self.node = node
        self.incarnation = incarnation
        self.isAlive = isAlive
    }
}
