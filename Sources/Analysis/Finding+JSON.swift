import FIMLCore

// What a worker answers, as it travels between processes: all members, moments in milliseconds since 1970.
//
//     {"score": 6.5, "confidence": 0.8, "as_of": ms, "details": {…},
//      "missing": [{"need": "bars", "subject": "sma_200", "reason": "…"}]}

extension Finding: JSONWritable {
    /// Writes every member, those of `details` in the order of their names.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("score", score)
        writer.member("confidence", confidence)
        writer.member("as_of", asOf.milliseconds)
        writer.member("details", JSONValue.object(details))
        if !missing.isEmpty { writer.member("missing", missing) }
        writer.endObject()
    }

    /// Reads what `write` wrote. Throws the first thing that is wrong, by its path.
    public static func parse(_ value: JSONValue) throws(InvalidMember) -> Finding {
        let reader = try FigureReader(value, at: "finding")
        guard let details = try reader.required("details").members else {
            throw reader.problem("details", "must be an object")
        }
        return Finding(
            score: try reader.number("score", in: 0...10),
            confidence: try reader.number("confidence", in: 0...1),
            asOf: try reader.requiredMoment("as_of"), details: details,
            missing: try MissingFigures.parse(reader, "missing"))
    }
}

extension MissingFigures: JSONWritable {
    /// Writes `need`, `subject` (null where it is the need as a whole) and `reason`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("need", need)
        writer.member("subject", orNull: subject)
        writer.member("reason", reason)
        writer.endObject()
    }

    /// Reads a list of what `write` wrote. Throws the first thing that is wrong, by its path.
    public static func parse(list value: JSONValue) throws(InvalidMember) -> [MissingFigures] {
        try parse(FigureReader(.object(["insufficient": value]), at: ""), "insufficient")
    }

    static func parse(_ reader: FigureReader, _ name: String) throws(InvalidMember) -> [MissingFigures] {
        try reader.list(name, limit: FigureReader.Limits.missing) { entry throws(InvalidMember) in
            guard let need = DataNeed(rawValue: try entry.requiredText("need")) else {
                throw entry.problem("need", "is none that is known")
            }
            return MissingFigures(need, try entry.text("subject"), reason: try entry.requiredText("reason"))
        }
    }
}
