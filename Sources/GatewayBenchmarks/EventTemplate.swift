import LinuxSystem

/// Events of one delivered size. Each carries the moment it was made, for the latency.
struct EventTemplate {
    /// How it is published.
    enum Form {
        /// As `POST /events` takes it; the gateway adds its own members.
        case gateway
        /// As subscribers receive it, for a server that only passes it on.
        case delivered
    }

    let form: Form
    /// Letters that fill it up.
    let padding: Int
    var severity = "high"

    /// All numbers have as many digits, so that all events are of one size.
    private static let firstNumber = 1_000_000

    /// The JSON text of the event with that number, counted from 0.
    func event(number: Int) -> [UInt8] {
        let number = Self.firstNumber + number
        let common =
            #""event_id":"bench-\#(number)","type":"unusual_volume","severity":"\#(severity)","#
            + #""watchdog":"unusual_volume","asset":{"symbol":"BTC","asset_type":"crypto"},"#
            + #""description":"x","data":{"n":\#(number),"pad":""#
        let begin = form == .gateway ? "{" : #"{"type":"event","position":"1732416001104-0","event":{"#
        let end = form == .gateway ? "}}" : "}}}"
        var text = Array((begin + common).utf8)
        appendLetters(seed: UInt32(truncatingIfNeeded: number), to: &text)
        text.append(contentsOf: #"","t":\#(monotonicNanoseconds())\#(end)"#.utf8)
        return text
    }

    /// Letters by chance, from 16, so that there is something to compress and something that cannot be.
    private func appendLetters(seed: UInt32, to text: inout [UInt8]) {
        var state = seed
        for _ in 0..<padding {
            // Numerical Recipes' generator; its high bits are the good ones.
            state = state &* 1_664_525 &+ 1_013_904_223
            text.append(UInt8(ascii: "a") + UInt8(state >> 28))
        }
    }
}
