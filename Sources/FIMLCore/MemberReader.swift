/// Reads the members of one JSON object, each checked, each error with its path. A member that is `null`
/// counts as absent.
struct MemberReader {
    private let members: [String: JSONValue]
    private let path: String

    /// Throws where the value is no object, or has a member that is not allowed.
    init(_ value: JSONValue, at path: String, allowed: [String]) throws(InvalidMember) {
        guard let members = value.members else {
            throw InvalidMember(
                path: path, problem: path.isEmpty ? "the body must be an object" : "must be an object")
        }
        if let stranger = members.keys.filter({ !allowed.contains($0) }).min() {
            throw InvalidMember.unknownMember(stranger, at: path, allowed: allowed)
        }
        self.members = members
        self.path = path
    }

    /// The full path of a member.
    func path(of name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    func value(_ name: String) -> JSONValue? {
        members[name].flatMap { $0 == .null ? nil : $0 }
    }

    /// A member that must be there, read by one of the functions below.
    func require<Value>(
        _ name: String, _ read: (String) throws(InvalidMember) -> Value?
    ) throws(InvalidMember) -> Value {
        guard let value = try read(name) else { throw problem(name, "is required") }
        return value
    }

    /// A string of 1 to `limit` Unicode scalars.
    func text(_ name: String, limit: Int) throws(InvalidMember) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.text, (1...limit).contains(text.unicodeScalars.count) else {
            throw problem(name, "must be a string of 1 to \(limit) characters")
        }
        return text
    }

    /// As `text`, of a member that must be there.
    func requiredText(_ name: String, limit: Int) throws(InvalidMember) -> String {
        guard let text = try text(name, limit: limit) else { throw problem(name, "is required") }
        return text
    }

    /// One of a closed list of words.
    func choice<Choice>(_ name: String) throws(InvalidMember) -> Choice?
    where Choice: RawRepresentable<String> & CaseIterable {
        guard let value = value(name) else { return nil }
        return try Choice.named(value, at: path(of: name))
    }

    func number(_ name: String) throws(InvalidMember) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.double else { throw problem(name, "must be a number") }
        return number
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(InvalidMember) -> Int64? {
        guard let value = value(name) else { return nil }
        guard let integer = value.int64, range.contains(integer) else {
            throw problem(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func bool(_ name: String) throws(InvalidMember) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let truth = value.boolean else { throw problem(name, "must be true or false") }
        return truth
    }

    func timestamp(_ name: String) throws(InvalidMember) -> Timestamp? {
        guard let value = value(name) else { return nil }
        guard let timestamp = value.text.flatMap(Timestamp.init(rfc3339:)) else {
            throw problem(
                name, "must be a time of RFC 3339 between 1970 and 9999, such as 2026-11-24T05:24:01.123Z")
        }
        return timestamp
    }

    /// A list of 1 to `limit` values.
    func list(_ name: String, limit: Int) throws(InvalidMember) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.elements else { throw problem(name, "must be a list") }
        guard !elements.isEmpty else {
            throw problem(name, "must not be empty; leave it out where it does not matter")
        }
        guard elements.count <= limit else { throw problem(name, "must not have more than \(limit) entries") }
        return elements
    }

    /// As `list`, of a member that must be there.
    func requiredList(_ name: String, limit: Int) throws(InvalidMember) -> [JSONValue] {
        guard let elements = try list(name, limit: limit) else { throw problem(name, "is required") }
        return elements
    }

    /// An object of at most that many bytes of JSON text.
    func object(_ name: String, maxBytes: Int) throws(InvalidMember) -> [String: JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let members = value.members else { throw problem(name, "must be an object") }
        guard value.json.count <= maxBytes else {
            throw problem(name, "must not be longer than \(maxBytes) bytes")
        }
        return members
    }

    private func problem(_ name: String, _ problem: String) -> InvalidMember {
        InvalidMember(path: path(of: name), problem: problem)
    }
}

extension CaseIterable where Self: RawRepresentable<String> {
    /// The case of that name. Throws an error that lists the known ones.
    static func named(_ value: JSONValue, at path: String) throws(InvalidMember) -> Self {
        guard let text = value.text else {
            throw InvalidMember(
                path: path, problem: "must be one of \(allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard let named = Self(rawValue: text) else {
            throw InvalidMember.unknown(text, at: path, known: allCases.map(\.rawValue))
        }
        return named
    }
}
