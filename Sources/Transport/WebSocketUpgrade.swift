import HTTP
import WebSocket

/// The server's side of the opening handshake (RFC 6455 4.2.1).
public enum WebSocketUpgrade {
    /// The value of `Sec-WebSocket-Accept`, or the answer to a request that is no valid opening handshake.
    public static func check(_ request: HTTPRequest) -> Result<String, UpgradeRefusal> {
        guard request.method == "GET", request.minorVersion >= 1,
            request.fields.containsToken("websocket", in: "Upgrade"),
            request.fields.containsToken("upgrade", in: "Connection")
        else {
            // RFC 9110 15.5.22: 426 names the protocol that is needed.
            return .failure(
                UpgradeRefusal(
                    426, "UPGRADE_REQUIRED", "this path speaks WebSocket: send GET with Upgrade: websocket",
                    ("Upgrade", "websocket")))
        }
        guard request.fields.values("Sec-WebSocket-Version") == ["13"] else {
            // 4.4: the versions that are understood.
            return .failure(
                UpgradeRefusal(
                    426, "UPGRADE_REQUIRED", "Sec-WebSocket-Version must be 13",
                    ("Sec-WebSocket-Version", "13")))
        }
        let keys = request.fields.values("Sec-WebSocket-Key")
        guard keys.count == 1, let key = keys.first, Handshake.isValidKey(key) else {
            return .failure(
                UpgradeRefusal(
                    400, "INVALID_HANDSHAKE", "Sec-WebSocket-Key must be the base64 of 16 bytes, once", nil))
        }
        return .success(Handshake.acceptKey(for: key))
    }
}

/// An opening handshake that was not accepted.
public struct UpgradeRefusal: Error {
    /// The answer.
    public let response: HTTPResponse

    init(_ status: Int, _ error: String, _ detail: String, _ field: (name: String, value: String)?) {
        var response = ProblemDetails(status: status, error: error, detail: detail).response
        if let field { response.fields.append(field.name, field.value) }
        if status == 426, field?.name == "Upgrade" { response.fields.append("Connection", "Upgrade") }
        self.response = response
    }
}
