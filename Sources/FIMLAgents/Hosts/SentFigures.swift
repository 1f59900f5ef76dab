import Analysis
import FIMLCore

/// Which figures a host holds, so that they do not travel again: an asset is often judged anew by the same
/// bars, articles or options.
///
/// Gateway and host have the same places, and only the gateway chooses: what is sent to a place replaces what
/// was there. A process that is started anew holds nothing.
struct SentFigures {
    /// How many a host holds.
    static let placeCount = 64
    /// Longer ones are not held, so that a host holds 16 MiB of text at most.
    static let maxBytes = 1 << 18

    private var places: [Figures: Int] = [:]
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
    mutating func place(of figures: Figures) -> Int? {
        guard let place = places[figures] else { return nil }
        use(place)
        return place
    }

    /// A place for figures that are sent, of what was not used for longest.
    mutating func keep(_ figures: Figures) -> Int {
        if let place = place(of: figures) { return place }
        let place = usedAt.indices.min { usedAt[$0] < usedAt[$1] } ?? 0
        if let old = held[place] { places[old] = nil }
        held[place] = figures
        places[figures] = place
        use(place)
        return place
    }

    private mutating func use(_ place: Int) {
        uses += 1
        usedAt[place] = uses
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
