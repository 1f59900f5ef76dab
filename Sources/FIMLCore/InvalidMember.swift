/// What is wrong with a JSON body that somebody sent, and at which member.
public struct InvalidMember: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where: `filter.where.nodes[1].cmp`; empty for the whole body.
    public let path: String
    /// What, as a whole sentence that names the path: `filter.assets must not be empty`.
    public let message: String

    /// A problem as the rest of a sentence that begins with the path.
    public init(path: String, problem: String) {
        self.path = path
        message = path.isEmpty ? problem : "\(path) \(problem)"
    }

    private init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    /// The message.
    public var description: String {
        message
    }

    /// A word outside a closed list.
    static func unknown(
        _ word: String, _ what: String = "name", at path: String, known: [String]
    ) -> InvalidMember {
        InvalidMember(
            path: path,
            message:
                "unknown \(what) \(quoted(word)) at \(path); expected one of \(known.joined(separator: ", "))"
        )
    }

    /// A member that the object at `path` does not have.
    static func unknownMember(_ name: String, at path: String, allowed: [String]) -> InvalidMember {
        InvalidMember(
            path: path,
            message: "unknown member \(quoted(name))\(path.isEmpty ? "" : " at \(path)"); "
                + "expected one of \(allowed.joined(separator: ", "))")
    }

    /// A text in quotes, cut where it is long: what strangers send is not echoed at any length.
    static func quoted(_ text: String) -> String {
        text.unicodeScalars.count > 64 ? "'\(String(text.unicodeScalars.prefix(64)))…'" : "'\(text)'"
    }
}

/// Why an event from outside was refused.
public typealias EventError = InvalidMember

/// Why a filter was refused.
public typealias FilterError = InvalidMember
