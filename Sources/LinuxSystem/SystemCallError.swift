import Glibc

/// A system call that failed for a reason that is not the peer's doing.
public struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call: `bind`.
    public let call: String
    /// The kernel's `errno`.
    public let code: Int32

    /// A failure of `call`; `code` is what `errno` holds right after it.
    public init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    /// `bind: Address already in use`.
    public var description: String {
        "\(call): \(String(cString: strerror(code)))"
    }
}

/// Calls until a signal no longer interrupts it.
@inlinable
func retryingOnInterrupt<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

/// The result of `call`, or the error that it left.
@inlinable
func check(_ name: String, _ call: () -> Int32) throws(SystemCallError) -> Int32 {
    let result = retryingOnInterrupt(call)
    guard result != -1 else { throw SystemCallError(name) }
    return result
}
