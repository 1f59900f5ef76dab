/// What a client calls its session: 16 to 128 of the characters `A-Z a-z 0-9 . _ -`.
///
/// Whoever knows it can come back as that client, so it is a secret: as text it says only its beginning.
public struct SessionName: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// How many characters: 16 of these 65 are 96 bits where they are drawn at random.
    public static let length = 16...128

    /// All of it; never for a log, a store or another node.
    public let secret: String

    /// nil for anything that is no name of a session.
    public init?(_ text: String) {
        guard Self.length.contains(text.utf8.count), text.utf8.allSatisfy(Self.isAllowed) else { return nil }
        secret = text
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Enough to tell sessions apart in a log, not enough to take one: `my-b…`.
    public var description: String {
        "\(secret.prefix(4))…"
    }

    /// As `description`.
    public var debugDescription: String { description }

    /// As `description`: what contains a name says no more of it either.
    public var customMirror: Mirror { Mirror(reflecting: description) }
}
