import Testing

@testable import WebClient

@Suite("What a URL says about the server decides who sees what")
struct WebAddressTests {
    /// A URL, its origin, whether it is secure, whether it is this machine.
    private static let addresses: [(String, String, Bool, Bool)] = [
        ("http://a.example/b?c#d", "http://a.example", false, false),
        ("HTTPS://A.Example:443", "https://a.example:443", true, false),
        ("https://a.example?b=http://127.0.0.1/", "https://a.example", true, false),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80", false, true),
        ("http://localhost", "http://localhost", false, true),
        ("http://[::1]:8080/a", "http://[::1]:8080", false, true),
        ("http://[2001:db8::1]/", "http://[2001:db8::1]", false, false),
        ("http://127.0.0.1.example/", "http://127.0.0.1.example", false, false),
        ("https://a.example@b.example/", "https://a.example@b.example", true, false),
        ("https://localhost@b.example/", "https://localhost@b.example", true, false),
    ]

    @Test("Scheme, host and port are told apart from the rest", arguments: addresses)
    func address(url: String, origin: String, isSecure: Bool, isLoopback: Bool) throws {
        let address = try #require(WebAddress(url))
        #expect(address.origin == origin)
        #expect(address.isSecure == isSecure)
        #expect(address.isLoopback == isLoopback)
    }

    /// A time limit and the milliseconds that libcurl is given.
    private static let durations: [(Duration, ClosedRange<Int>)] = [
        (.zero, 1...1), (.seconds(-5), 1...1), (.milliseconds(250), 250...251), (.seconds(5), 5_000...5_001),
        (.seconds(Int64.max / 2), 86_400_000...86_400_000),
    ]

    @Test("A time limit is never 0 milliseconds, which would be none", arguments: durations)
    func milliseconds(duration: Duration, range: ClosedRange<Int>) {
        #expect(range.contains(duration.milliseconds))
    }
}
