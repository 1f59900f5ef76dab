import FoundationEssentials

/// The files that state the public protocol for machines, as they are served over HTTP.
public enum PublicSchema {
    /// Where the build puts them, beside the executable.
    private static let bundle = "fiml-gateway_PublicSchema.resources/public-schema"

    /// Reads every JSON file once, by its path within the folder: `openapi.json`,
    /// `schemas/event.schema.json`. Those are the paths of the HTTP API without the leading slash.
    ///
    /// `directory` is the folder `public-schema`; nil means the copy beside the running executable. Throws
    /// what Foundation throws where it cannot be read.
    public static func load(from directory: String? = nil) throws -> [String: [UInt8]] {
        let directory = try directory ?? directoryBesideExecutable()
        var files: [String: [UInt8]] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: directory)
        where path.hasSuffix(".json") {
            files[path] = [UInt8](try Data(contentsOf: URL(filePath: "\(directory)/\(path)")))
        }
        return files
    }

    private static func directoryBesideExecutable() throws -> String {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return executable.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/\(bundle)"
    }
}
