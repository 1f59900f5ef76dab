import FIMLCore

/// Reads whatever libFuzzer makes up as each thing that strangers may send. What is taken must be written so
/// that it reads back as the same; what is refused must be refused with a message of bounded length.
///
/// Build the module with `--sanitize=address -Xswiftc -sanitize=fuzzer`, then this file against its objects
/// with `swiftc -sanitize=fuzzer,address -parse-as-library`; run it with `SWIFT_BACKTRACE=enable=no`.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPublicProtocol(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: start, count: count))
    do {
        _ = try ClientMessage.parse(bytes)
    } catch {
        precondition(error.message.utf8.count < longestMessage, error.message)
    }
    let value = try? JSONValue.parse(bytes)
    let event = value.flatMap { try? read($0) }
    precondition(readQuickly(bytes) == event, "the quick way reads another event")
    guard let value else { return 0 }
    precondition((try? JSONValue.parse(value.json)) == value, "does not read back")
    checkFilter(value)
    checkEvent(value)
    return 0
}

private let longestMessage = 2000

private func checkFilter(_ value: JSONValue) {
    do throws(FilterError) {
        let filter = try EventFilter.parse(value)
        guard let normal = try? JSONValue.parse(filter.json) else {
            preconditionFailure("the normal form is no JSON")
        }
        let again = try EventFilter.parse(normal)
        precondition(again == filter, "the normal form is another filter")
        _ = filter.matches(sample)
    } catch {
        precondition(error.message.utf8.count < longestMessage, error.message)
    }
}

private func checkEvent(_ value: JSONValue) {
    do throws(EventError) {
        let event = try read(value)
        guard let written = try? JSONValue.parse(event.json) else {
            preconditionFailure("an event is no JSON")
        }
        let again = try read(written)
        precondition(again == event, "an event reads back as another")
    } catch {
        precondition(error.message.utf8.count < longestMessage, error.message)
    }
}

private func read(_ value: JSONValue) throws(EventError) -> WatchdogEvent {
    try WatchdogEvent.parse(
        value, receivedAt: Timestamp(milliseconds: 1_795_497_841_123), newEventID: { "evt_1" })
}

private func readQuickly(_ bytes: [UInt8]) -> WatchdogEvent? {
    WatchdogEvent.parse(
        bytes, receivedAt: Timestamp(milliseconds: 1_795_497_841_123), newEventID: { "evt_1" })
}

private let sample = MatchableEvent(
    WatchdogEvent(
        eventID: "evt_1", type: .whaleMovement, severity: .critical, fingerprint: "9d1c0b7e44aa2f10",
        watchdog: .whaleMovement, asset: Asset(symbol: "BTC", assetType: .crypto), assets: ["BTC", "ETH"],
        description: "412.5 BTC moved",
        data: ["usd_value": 27101250.0, "list": [1, "a"], "deep": ["a": true]],
        timestamp: Timestamp(milliseconds: 1), startsAt: Timestamp(milliseconds: 1)))
