import FIMLCore
import FoundationEssentials

/// What fires, in a file, so that a restart does not tell it a second time.
public struct ConditionFile: Sendable {
    /// A larger file is not read.
    static let maxBytes = 64 << 20

    private let path: String

    /// A file at `path`; it need not exist yet.
    public init(path: String) {
        self.path = path
    }

    /// The conditions, and how many could not be read. Throws a sentence where the file cannot be used; none
    /// where there is no file.
    func load() throws(ConditionFileError) -> (conditions: [Condition], refused: Int) {
        guard FileManager.default.fileExists(atPath: path) else { return ([], 0) }
        let json: JSONValue
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            guard data.count <= Self.maxBytes else {
                throw ConditionFileError("\(path) has \(data.count) bytes; at most \(Self.maxBytes) are read")
            }
            json = try JSONValue.parse(Array(data))
        } catch let error as ConditionFileError {
            throw error
        } catch {
            throw ConditionFileError("\(path) cannot be read: \(error)")
        }
        let entries = json["conditions"]?.elements ?? []
        let conditions = entries.compactMap { Condition($0) }
        return (conditions, entries.count - conditions.count)
    }

    /// Replaces the file as a whole: a reader, and the next start, sees the old one or the new one.
    func save(_ conditions: [Condition]) throws(ConditionFileError) {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("conditions", conditions)
        writer.endObject()
        do {
            try Data(writer.bytes).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ConditionFileError("\(path) cannot be written: \(error)")
        }
    }
}

/// Why what fires could not be read or kept; one line.
struct ConditionFileError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
