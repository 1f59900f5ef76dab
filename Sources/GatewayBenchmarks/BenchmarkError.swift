import LinuxSystem

/// Why nothing could be measured, in words for the one who runs it.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The value of `body`; a failing system call becomes an error that says what was being done.
func doing<Value: ~Copyable>(
    _ what: String, _ body: () throws(SystemCallError) -> Value
) throws(BenchmarkError) -> Value {
    do throws(SystemCallError) {
        return try body()
    } catch {
        throw BenchmarkError("\(what): \(error)")
    }
}
