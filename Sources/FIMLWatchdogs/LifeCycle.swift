import FIMLCore

/// When a condition begins, is told again and ends. Times are the market's.
public struct LifeCycle: Hashable, Sendable {
    /// A condition ends only when its figure is inside the threshold by this part of it, so that one that
    /// lies on the threshold is not told over and over.
    public var hysteresis = 0.1
    /// A condition that lasts is told again, as `updated`, with the first new figures after so many seconds.
    public var renotifySeconds: Int64 = 14_400
    /// A subject flaps when its conditions begin this often…
    public var flapCount = 3
    /// …within so many seconds. From then on its condition ends only…
    public var flapSeconds: Int64 = 3_600
    /// …after so many seconds in which all was as it should be.
    public var calmSeconds: Int64 = 900
    /// A condition that was not judged for so many seconds ends: nobody knows whether it lasts.
    public var silenceSeconds: Int64 = 86_400

    /// The values above.
    public init() {}

    /// Whether a figure that is as it should be lies so near its threshold that a condition goes on.
    func isNear(_ evidence: Evidence) -> Bool {
        let margin = abs(evidence.threshold) * hysteresis
        return switch evidence.operator {
        case "gt", "gte": evidence.observed > evidence.threshold - margin
        case "lt", "lte": evidence.observed < evidence.threshold + margin
        default: false
        }
    }
}
