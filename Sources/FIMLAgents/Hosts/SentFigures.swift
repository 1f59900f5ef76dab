import Analysis
import FIMLCore

/// Which figures a host holds, so that they do not travel again: an asset is often judged anew by the same
/// bars, articles or options.
///
/// Gateway and host have the same places, and only the gateway chooses: what is sent to a place replaces what
/// was there. Each carries a number that is used once, so that what did not arrive is never taken for what
/// had been there before. A process that is started anew holds nothing.
struct SentFigures {
    /// Where figures are held, and by which number.
    struct Place: Hashable {
        let index: Int
        let number: UInt64
    }

    /// How many a host holds.
    static let placeCount = 64
    /// Longer ones are not held, so that a host holds 16 MiB of text at most.
    static let maxBytes = 1 << 18

    /// Hashed by what tells figures apart as a rule; all of them would take longer than the rest of a task.
    private struct Key: Hashable {
        let figures: Figures

        func hash(into hasher: inout Hasher) {
            hasher.combine(figures.bars.count)
            hasher.combine(figures.bars.last)
            hasher.combine(figures.benchmarks.count)
            hasher.combine(figures.benchmarks.first?.bars.last)
            hasher.combine(figures.fundamentals)
            hasher.combine(figures.observations[.interestRate]?.last)
            hasher.combine(figures.articles.first?.title)
            hasher.combine(figures.optionChain?.observedAt)
            hasher.combine(figures.optionChain?.contracts.first)
        }
    }

    private var places: [Key: Place] = [:]
    private var held: [Figures?] = Array(repeating: nil, count: placeCount)
    private var usedAt: [UInt64] = Array(repeating: 0, count: placeCount)
    private var uses: UInt64 = 0
    private var process = 0

    /// Forgets everything where the host's process is another than before.
    mutating func follow(process number: Int) {
        guard number != process else { return }
        self = SentFigures()
        process = number
    }

    /// Where the host holds them; nil where it does not.
    mutating func place(of figures: Figures) -> Place? {
        guard let place = places[Key(figures: figures)] else { return nil }
        use(place.index)
        return place
    }

    /// A place for figures that are sent by that number, of what was not used for longest.
    mutating func keep(_ figures: Figures, number: UInt64) -> Place {
        if let place = place(of: figures) { return place }
        let index = usedAt.indices.min { usedAt[$0] < usedAt[$1] } ?? 0
        if let old = held[index] { places[Key(figures: old)] = nil }
        let place = Place(index: index, number: number)
        held[index] = figures
        places[Key(figures: figures)] = place
        use(index)
        return place
    }

    private mutating func use(_ index: Int) {
        uses += 1
        usedAt[index] = uses
    }
}

/// The figures that a host holds, by their places.
struct HeldFigures {
    private var held: [Int: (number: UInt64, figures: Figures)] = [:]

    /// Holds figures there; not where there is no such place.
    mutating func hold(_ figures: Figures, at place: SentFigures.Place) {
        guard (0..<SentFigures.placeCount).contains(place.index) else { return }
        held[place.index] = (place.number, figures)
    }

    /// Those that are held there by that number.
    func figures(at place: SentFigures.Place) -> Figures? {
        held[place.index].flatMap { $0.number == place.number ? $0.figures : nil }
    }

    /// How many are held.
    var count: Int { held.count }
}

extension SentFigures.Place: JSONWritable {
    /// Writes index and number, as a list.
    func write(to writer: inout JSONWriter) {
        writer.beginArray()
        writer.integer(index)
        writer.integer(number)
        writer.endArray()
    }

    /// Reads what `write` wrote; nil for anything else.
    init?(_ value: JSONValue?) {
        guard let parts = value?.elements, parts.count == 2,
            let index = parts[0].int64.flatMap(Int.init(exactly:)),
            let number = parts[1].int64.flatMap(UInt64.init(exactly:))
        else { return nil }
        self.init(index: index, number: number)
    }
}

extension Figures {
    /// The same without whose they are and when: what is equal for every analysis until the market moves.
    var withoutSubject: Figures {
        var figures = self
        figures.asset = Asset(symbol: "-", assetType: .equity)
        figures.moment = Timestamp(milliseconds: 0)
        return figures
    }
}
