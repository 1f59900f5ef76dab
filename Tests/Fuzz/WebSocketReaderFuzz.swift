import WebSocket

/// Feeds a reader whatever libFuzzer makes up, once whole and once byte by byte. Both must end in the same
/// events or the same violation, and no event may pass the limits. The first byte chooses the role and
/// whether deflate was negotiated.
///
/// Build the module with `--sanitize=address -Xswiftc -sanitize=fuzzer`, then this file against its objects
/// with `swiftc -sanitize=fuzzer,address -parse-as-library`; run it with `SWIFT_BACKTRACE=enable=no`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWebSocketReader(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard count > 0 else { return 0 }
    let deflate = start[0] & 1 == 0 ? nil : DeflateParameters.negotiate(offers: ["permessage-deflate"])
    let reader = WebSocketReader(
        role: start[0] & 2 == 0 ? .server : .client, maxMessageBytes: limit, maxInflatedBytes: limit,
        deflate: deflate)
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    let inflater = Inflater()
    var (whole, cut) = (reader, reader)
    let expected = outcomes(of: bytes, read: &whole, inflater)
    let cutOutcomes = bytes.flatMap { outcomes(of: [$0], read: &cut, inflater) }
    precondition(expected == cutOutcomes, "\(expected) but cut \(cutOutcomes)")
    return 0
}

private let limit = 4096

private enum Outcome: Equatable {
    case event(WebSocketEvent)
    case violation(ProtocolViolation)
}

private func outcomes(of bytes: [UInt8], read reader: inout WebSocketReader, _ inflater: Inflater)
    -> [Outcome]
{
    var bytes = bytes
    var outcomes: [Outcome] = []
    bytes.withUnsafeMutableBytes { buffer in
        var unread = buffer
        do throws(ProtocolViolation) {
            while let event = try reader.next(&unread, inflater: inflater) {
                if case .message(_, let payload) = event {
                    precondition(payload.count <= limit)
                }
                outcomes.append(.event(event))
            }
            precondition(unread.isEmpty)
        } catch {
            outcomes.append(.violation(error))
        }
    }
    return outcomes
}
