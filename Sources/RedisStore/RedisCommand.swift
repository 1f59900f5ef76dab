/// A command as the protocol sends it (RESP): an array of bulk strings.
struct RedisCommand: Sendable {
    private var arguments = Arguments()

    /// A command of words.
    init(_ words: String...) {
        for word in words { arguments.append(word) }
    }

    /// Some arguments of a command, as they are sent.
    struct Arguments: Sendable {
        private(set) var bytes: [UInt8] = []
        private(set) var count = 0

        /// The next argument, as it is.
        mutating func append(_ argument: [UInt8]) {
            bytes.append(contentsOf: "$\(argument.count)\r\n".utf8)
            bytes.append(contentsOf: argument)
            end()
        }

        /// The next argument, in UTF-8.
        mutating func append(_ text: String) {
            bytes.append(contentsOf: "$\(text.utf8.count)\r\n".utf8)
            bytes.append(contentsOf: text.utf8)
            end()
        }

        /// The next argument, in decimal digits.
        mutating func append(_ number: some BinaryInteger) {
            append(String(number))
        }

        /// All of the others.
        mutating func append(_ others: Arguments) {
            bytes.append(contentsOf: others.bytes)
            count += others.count
        }

        private mutating func end() {
            bytes.append(contentsOf: "\r\n".utf8)
            count += 1
        }
    }

    /// The next argument, as it is.
    mutating func append(_ argument: [UInt8]) {
        arguments.append(argument)
    }

    /// The next argument, in UTF-8.
    mutating func append(_ text: String) {
        arguments.append(text)
    }

    /// The next arguments.
    mutating func append(_ others: Arguments) {
        arguments.append(others)
    }

    /// What it has of arguments, in bytes.
    var byteCount: Int { arguments.bytes.count }

    /// Adds it to what is to be sent.
    func write(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "*\(arguments.count)\r\n".utf8)
        bytes.append(contentsOf: arguments.bytes)
    }
}
