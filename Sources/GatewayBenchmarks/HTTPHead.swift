/// The first line and the fields of an HTTP/1.1 message, as far as a benchmark between friends needs them.
struct HTTPHead {
    /// The request line or the status line.
    let firstLine: Substring
    /// Up to and with the empty line, in bytes.
    let length: Int
    private let fields: [Substring]

    /// Nil while the empty line has not come.
    init?(_ bytes: ArraySlice<UInt8>) {
        // Looked for by hand: an ASCII string would take a copy of contents that may follow.
        var end = bytes.startIndex
        while end + 3 < bytes.endIndex {
            if bytes[end] == 13, bytes[end + 1] == 10, bytes[end + 2] == 13, bytes[end + 3] == 10 { break }
            end += 1
        }
        guard end + 3 < bytes.endIndex else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        firstLine = lines.first ?? ""
        fields = Array(lines.dropFirst())
        length = end + 4 - bytes.startIndex
    }

    /// The value of a field, by its name in lower case.
    func field(_ name: String) -> String? {
        for field in fields {
            guard let colon = field.firstIndex(of: ":"), field[..<colon].lowercased() == name else {
                continue
            }
            return String(field[field.index(after: colon)...].drop { $0 == " " })
        }
        return nil
    }

    /// Bytes of content that follow.
    var contentLength: Int { field("content-length").flatMap(Int.init) ?? 0 }

    /// The status code of a response; 0 where there is none.
    var status: Int {
        let parts = firstLine.split(separator: " ")
        return parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    }
}
