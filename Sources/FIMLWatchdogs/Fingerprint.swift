import FIMLCore

/// Names a condition. Stands in for the type of this name in FIMLCore.
enum Fingerprint {
    /// 16 hexadecimal digits, the same for the same parts in every process: FNV-1a, 64 bits, over the parts.
    static func of(watchdog: WatchdogName, type: EventType, assets: [String], discriminator: String) -> String
    {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for part in [watchdog.rawValue, type.rawValue] + assets + [discriminator] {
            for byte in Array(part.utf8) + [0] {
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
            }
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
