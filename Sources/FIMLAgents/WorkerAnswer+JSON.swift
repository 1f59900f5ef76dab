import Analysis
import FIMLCore

extension WorkerAnswer: JSONWritable {
    /// Writes `{"finding": {…}}` or `{"insufficient": [{"need": …, "reason": …}]}`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writeMember(to: &writer)
        writer.endObject()
    }

    /// Writes the one member, in an object that has others.
    func writeMember(to writer: inout JSONWriter) {
        switch self {
        case .finding(let finding): writer.member("finding", finding)
        case .insufficient(let missing): writer.member("insufficient", missing)
        }
    }

    /// Reads an object that has what `write` wrote; nil where it has neither member. Throws the first thing
    /// that is wrong, by its path.
    public static func parse(_ json: JSONValue) throws(InvalidMember) -> WorkerAnswer? {
        if let finding = json["finding"] { return .finding(try Finding.parse(finding)) }
        guard let list = json["insufficient"] else { return nil }
        let missing = try MissingFigures.parse(list: list)
        guard !missing.isEmpty else {
            throw InvalidMember(path: "insufficient", problem: "must not be empty")
        }
        return .insufficient(missing)
    }
}
