/// Names a condition by what tells it apart, the same in every process and on every node.
public enum Fingerprint {
    /// 16 hexadecimal digits: FNV-1a, 64 bits, over the watchdog, the event type, the symbols in order of the
    /// alphabet, and whatever else tells conditions apart (an exchange, a window), each followed by the unit
    /// separator.
    public static func of(
        watchdog: WatchdogName, type: EventType, assets: [String], discriminator: String = ""
    ) -> String {
        of(parts: [watchdog.rawValue, type.rawValue] + assets.sorted() + [discriminator])
    }

    /// The same over any parts, in their order.
    package static func of(parts: [String]) -> String {
        let hash = fnv1a(parts.flatMap { Array($0.utf8) + [0x1F] })
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Whether a text is 16 hexadecimal digits in lower case.
    static func isFingerprint(_ text: String) -> Bool {
        text.utf8.count == 16
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            }
    }

    /// FNV-1a of 64 bits (draft-eastlake-fnv, section 2 and the constants of section 5).
    static func fnv1a(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { hash, byte in
            (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
    }
}
