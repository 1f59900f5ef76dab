extension Gateway {
    /// What `--version` and `welcome` say.
    public static var version: String { GatewayState.version }
}
