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

    /// Figures in the order of time, oldest first. An answer that mostly goes back in time is turned round;
    /// the fewest figures that leave the others in order are refused. Of two of one moment the one that comes
    /// later in that order stays.
    mutating func chronological<Figure>(
        _ figures: [(place: String, figure: Figure)], by time: (Figure) -> Timestamp
    ) -> [Figure] {
        let times = figures.map { time($0.figure) }
        let forwards = zip(times, times.dropFirst()).count { $0 < $1 }
        let backwards = zip(times, times.dropFirst()).count { $0 > $1 }
        let isNewestFirst = backwards > forwards
        let inOrder = isNewestFirst ? figures.reversed() : figures
        let kept = Self.longestAscending(isNewestFirst ? times.reversed() : times)
        var next = kept.startIndex
        for index in inOrder.indices {
            if next < kept.endIndex, kept[next] == index {
                next += 1
            } else {
                refuse(inOrder[index].place, "is out of the order of time")
            }
        }
        return kept.map { inOrder[$0].figure }
    }

    /// Where the longest ascending subsequence is (M. Fredman 1975): one pass, each with a binary search.
    private static func longestAscending(_ times: [Timestamp]) -> [Int] {
        // Where, of all ascending subsequences of length 1, 2, …, the one with the earliest end has its end.
        var ends: [Int] = []
        var before: [Int?] = []
        for (index, time) in times.enumerated() {
            var (low, high) = (0, ends.count)
            while low < high {
                let middle = (low + high) / 2
                if times[ends[middle]] < time { low = middle + 1 } else { high = middle }
            }
            before.append(low > 0 ? ends[low - 1] : nil)
            if low < ends.count { ends[low] = index } else { ends.append(index) }
        }
        var ascending: [Int] = []
        var last = ends.last
        while let index = last {
            ascending.append(index)
            last = before[index]
        }
        return ascending.reversed()
    }

    /// The figures, unless there are none.
    func nonEmpty<Element>(_ figures: [Element], _ what: String) throws(MarketDataError) -> Decoded<[Element]>
    {
        guard !figures.isEmpty else { throw nothingUsable(what) }
        return Decoded(figures, refused: refused)
    }

    /// The error of an answer that holds nothing to use: because there is none, as for a symbol that is not
    /// known, or because all of it was refused.
    func nothingUsable(_ what: String) -> MarketDataError {
        let reason = refused.reasons.first.map { ": \($0)" } ?? ""
        return MarketDataError(
            "the answer has no usable \(what)\(reason)",
            cause: refused.count == 0 ? .hasNone : .failure)
    }
}
