/// What was agreed about permessage-deflate (RFC 7692 §7.1).
///
/// A server of ours always answers with no context takeover in both directions: no connection then holds
/// compression state, and one deflated frame serves all subscribers.
public struct DeflateParameters: Sendable, Hashable {
    /// The server compresses each message on its own.
    public private(set) var serverNoContextTakeover = false
    /// The client compresses each message on its own.
    public private(set) var clientNoContextTakeover = false
    /// The server's window in bits, 8 to 15; nil where it is not stated, which means 15.
    private var statedServerMaxWindowBits: Int?
    /// The client's window in bits, 8 to 15; nil where it is not stated, which means 15.
    private var statedClientMaxWindowBits: Int?

    /// The largest window that the server compresses with, 8 to 15 bits.
    public var serverMaxWindowBits: Int {
        statedServerMaxWindowBits ?? 15
    }

    /// The largest window that the client compresses with, 8 to 15 bits.
    public var clientMaxWindowBits: Int {
        statedClientMaxWindowBits ?? 15
    }

    /// What a client of ours offers: its inflater keeps nothing between messages, nor may the server.
    public static let clientOffer =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits"

    /// The value of the server's `Sec-WebSocket-Extensions` field.
    public var responseHeader: String {
        var header = Self.extensionName
        if serverNoContextTakeover { header += "; server_no_context_takeover" }
        if clientNoContextTakeover { header += "; client_no_context_takeover" }
        if let bits = statedServerMaxWindowBits { header += "; server_max_window_bits=\(bits)" }
        if let bits = statedClientMaxWindowBits { header += "; client_max_window_bits=\(bits)" }
        return header
    }

    /// The server's answer: the first acceptable offer, in the client's order (RFC 7692 §5).
    ///
    /// An offer with an unknown, repeated or wrong parameter is declined, and the next one is looked at
    /// (§7.1). A field that does not follow the grammar offers nothing.
    ///
    /// - Parameter offers: the values of the request's `Sec-WebSocket-Extensions` fields.
    /// - Returns: nil when the connection goes on without compression.
    public static func negotiate(offers: [String]) -> DeflateParameters? {
        for offer in offers.flatMap({ ExtensionOffer.parse($0) ?? [] }) where offer.name == extensionName {
            guard var agreed = DeflateParameters(offer.parameters, from: .client) else { continue }
            // §7.1.1: a server may ask for both, offered or not. The windows stay as the client named them:
            // §7.1.2.1 demands it of the server's, and the client's (§7.1.2.2) may be any for us to inflate.
            agreed.serverNoContextTakeover = true
            agreed.clientNoContextTakeover = true
            return agreed
        }
        return nil
    }

    /// What a server answered to `clientOffer`.
    ///
    /// - Parameter field: the value of the response's `Sec-WebSocket-Extensions`, where there is one.
    /// - Returns: nil when this does not answer the offer: the client must fail the connection (RFC 7692 §5).
    public static func parseResponse(_ field: String) -> DeflateParameters? {
        guard let answers = ExtensionOffer.parse(field), answers.count == 1, answers[0].name == extensionName,
            let agreed = DeflateParameters(answers[0].parameters, from: .server),
            agreed.serverNoContextTakeover
        else { return nil }
        return agreed
    }

    private static let extensionName = "permessage-deflate"

    /// Nil where a parameter is unknown, repeated, or has a value that it must not have (RFC 7692 §7.1).
    private init?(_ parameters: [ExtensionOffer.Parameter], from sender: Role) {
        var seen: Set<String> = []
        for parameter in parameters {
            guard seen.insert(parameter.name).inserted else { return nil }
            switch (parameter.name, parameter.value) {
            case ("server_no_context_takeover", nil):
                serverNoContextTakeover = true
            case ("client_no_context_takeover", nil):
                clientNoContextTakeover = true
            case ("server_max_window_bits", let value?):
                guard let bits = Self.windowBits(value) else { return nil }
                statedServerMaxWindowBits = bits
            case ("client_max_window_bits", let value?):
                guard let bits = Self.windowBits(value) else { return nil }
                statedClientMaxWindowBits = bits
            case ("client_max_window_bits", nil):
                // §7.1.2.2: without a value a client only says that it understands the parameter.
                guard sender == .client else { return nil }
            default:
                return nil
            }
        }
    }

    /// A decimal number from 8 to 15 without leading zeros (RFC 7692 §7.1.2.1).
    private static func windowBits(_ value: String) -> Int? {
        (8...15).first { String($0) == value }
    }
}
