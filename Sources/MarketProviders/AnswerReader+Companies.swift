import FIMLCore
import MarketData

// What the readers of equities, companies, economies, news and options have in common.

extension AnswerReader {
    /// A moment given as text.
    mutating func moment(_ value: JSONValue?, _ format: MomentFormat, at place: @autoclosure () -> String)
        -> Timestamp?
    {
        if let text = value?.text, let moment = format.read(text), Self.moments.contains(moment) {
            return moment
        }
        refuse(place(), "is not a moment from 1990 to 2100 as this API writes it")
        return nil
    }

    /// An amount that may well be missing, as `optional`; what is negative is refused.
    mutating func optionalAmount(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        guard let number = optional(value, at: place()) else { return nil }
        guard number >= 0 else {
            refuse(place(), "is \(number), which is not allowed: at least 0")
            return nil
        }
        return number
    }

    /// A price that may well be missing, or 0 where there is none.
    mutating func optionalPrice(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        optionalAmount(value, at: place()).flatMap { $0 > 0 ? $0 : nil }
    }

    /// A text that says something; longer ones are cut.
    mutating func text(_ value: JSONValue?, limit: Int, at place: @autoclosure () -> String) -> String? {
        guard let text = value?.text, !text.isEmpty else {
            refuse(place(), "is missing or not a text")
            return nil
        }
        return String(text.prefix(limit))
    }

    /// Figures in the order of time, oldest first. An answer whose first figure is newer than its last is
    /// turned round; a figure that is not later than the one before it is refused.
    mutating func chronological<Figure>(
        _ figures: [(place: String, figure: Figure)], by time: (Figure) -> Timestamp
    ) -> [Figure] {
        guard let first = figures.first, let last = figures.last else { return [] }
        let isNewestFirst = time(first.figure) > time(last.figure)
        var ordered: [Figure] = []
        ordered.reserveCapacity(figures.count)
        for (place, figure) in isNewestFirst ? figures.reversed() : figures {
            if let before = ordered.last, time(before) >= time(figure) {
                refuse(place, "is not later than the one before it")
            } else {
                ordered.append(figure)
            }
        }
        return ordered
    }

    /// The figures, unless there are none.
    func nonEmpty<Element>(_ figures: [Element], _ what: String) throws(MarketDataError) -> Decoded<[Element]>
    {
        guard !figures.isEmpty else { throw nothing(what) }
        return Decoded(figures, refused: refused)
    }

    /// The error of an answer that holds nothing to use.
    func nothing(_ what: String) -> MarketDataError {
        let reason = refused.reasons.first.map { ": \($0)" } ?? ""
        return MarketDataError("the answer holds no \(what) that can be used\(reason)")
    }
}
