/// An event made ready, once, to be matched against many filters. An object, since a copy of an event counts
/// a dozen references, and a filter that does not match takes less time than that.
public final class MatchableEvent: Sendable {
    /// The event itself.
    public let event: WatchdogEvent
    let severity: UInt16
    let type: UInt16
    let watchdog: UInt16
    /// No bit where the event has no `asset`.
    let assetType: UInt16
    /// `event.assets` as a value that comparisons take.
    let assets: JSONValue

    /// Prepares an event.
    public init(_ event: WatchdogEvent) {
        self.event = event
        severity = event.severity.bit
        type = event.type.bit
        watchdog = event.watchdog.bit
        assetType = event.asset?.assetType.bit ?? 0
        assets = .array(event.assets.map(JSONValue.string))
    }
}

extension CaseIterable where Self: Equatable {
    /// One bit for each case, in their order. Only for enums of at most 16 cases.
    var bit: UInt16 {
        var bit: UInt16 = 1
        for candidate in Self.allCases {
            if candidate == self { break }
            bit <<= 1
        }
        return bit
    }
}
