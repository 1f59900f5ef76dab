import FoundationEssentials
import GatewayTesting
import HTTP
import Testing

@Suite("Responses go out framed, dated and in one piece")
struct HTTPResponseTests {
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"

    private func text(_ response: HTTPResponse, toHEAD: Bool = false, keepAlive: Bool = true) -> String {
        var output: [UInt8] = []
        response.serialize(into: &output, date: HTTPResponseTests.date, toHEAD: toHEAD, keepAlive: keepAlive)
        return String(decoding: output, as: UTF8.self)
    }

    @Test("A response is a status line, the date, its fields, its length, and its body")
    func whole() {
        let response = HTTPResponse(
            status: 200, fields: ["Content-Type": "text/plain"], body: Array("hé".utf8))
        #expect(
            text(response)
                == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
                + "Content-Length: 3\r\nConnection: keep-alive\r\n\r\nhé")
    }

    @Test("It is appended to what is already to be sent")
    func appends() {
        var output = HTTPResponse.continue100
        HTTPResponse(status: 404).serialize(
            into: &output, date: HTTPResponseTests.date, toHEAD: false, keepAlive: false)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n"
                + "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    @Test("RFC 9110 9.3.2: the answer to HEAD tells the length without the body")
    func head() {
        let response = HTTPResponse(status: 200, body: Array("hello".utf8))
        #expect(text(response, toHEAD: true).hasSuffix("Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"))
    }

    @Test(
        "RFC 9110 8.6, RFC 9112 6.3: 1xx, 204 and 304 have neither length nor body",
        arguments: [101, 204, 304])
    func noContent(status: Int) {
        let sent = text(HTTPResponse(status: status, body: Array("hello".utf8)))
        #expect(!sent.contains("Content-Length"))
        #expect(sent.hasSuffix("\r\n\r\n"))
    }

    @Test(
        "RFC 9112 6.1, 6.3: the head of content without a known end says that it comes in chunks, or closes",
        arguments: [true, false])
    func streamHead(isChunked: Bool) {
        let response = HTTPResponse(status: 200, fields: ["Content-Type": "text/event-stream"])
        var output: [UInt8] = []
        response.serializeHead(
            into: &output, date: HTTPResponseTests.date, isChunked: isChunked, keepAlive: false)
        #expect(
            String(decoding: output, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Content-Type: text/event-stream\r\n"
                + (isChunked ? "Transfer-Encoding: chunked\r\n" : "") + "Connection: close\r\n\r\n")
    }

    @Test("RFC 9110 7.8: a switch of protocols says nothing about closing")
    func switchingProtocols() {
        let response = HTTPResponse(status: 101, fields: ["Upgrade": "websocket", "Connection": "Upgrade"])
        #expect(
            text(response, keepAlive: false)
                == "HTTP/1.1 101 Switching Protocols\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    }

    @Test("Fields about the framing are ours alone, and close is not said twice")
    func framingFields() {
        let response = HTTPResponse(
            status: 426,
            fields: [
                "content-length": "99", "Transfer-Encoding": "chunked", "date": "x",
                "Connection": "Upgrade, close",
            ])
        #expect(
            text(response, keepAlive: false)
                == "HTTP/1.1 426 Upgrade Required\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                + "Connection: Upgrade, close\r\nContent-Length: 0\r\n\r\n")
    }

    @Test("A value cannot split a response")
    func responseSplitting() {
        let response = HTTPResponse(status: 302, fields: ["Location": "/a\r\nSet-Cookie: b\r\n\r\n<html>\0"])
        #expect(text(response).contains("Location: /a  Set-Cookie: b    <html> \r\n"))
    }

    @Test("A status that is not in use here still has its space (RFC 9112 4)")
    func unknownStatus() {
        #expect(text(HTTPResponse(status: 299)).hasPrefix("HTTP/1.1 299 \r\n"))
    }

    @Test(
        "RFC 9110 5.6.7: IMF-fixdate, seconds as `date -u` gives them",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (Int64.min, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] as [(Int64, String)])
    func imfFixdate(seconds: Int64, expected: String) {
        #expect(HTTPResponse.imfFixdate(secondsSince1970: seconds) == expected)
    }

    @Test("IMF-fixdate agrees with Foundation on days up to the year 2200")
    func imfFixdateAgainstFoundation() throws {
        var random = SeededGenerator(seed: 5)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        for _ in 0..<1000 {
            let seconds = Int64.random(in: 0..<7_258_118_400, using: &random)
            let date = Date(timeIntervalSince1970: Double(seconds))
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second, .weekday], from: date)
            let words = HTTPResponse.imfFixdate(secondsSince1970: seconds).split { " ,:".contains($0) }.map(
                String.init)
            let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
            let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            #expect(words[0] == weekdays[(parts.weekday ?? 0) - 1])
            #expect(words[2] == months[(parts.month ?? 0) - 1])
            let numbers = [words[1], words[3], words[4], words[5], words[6]].map { Int($0) }
            #expect(numbers == [parts.day, parts.year, parts.hour, parts.minute, parts.second])
        }
    }
}
