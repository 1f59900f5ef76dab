import Broadcast
import FIMLCore
import Locking

/// Pages that were read from the store a moment ago: of many clients that come back at once each wants the
/// same ones, and reading an event back costs more than sending it.
final class PageCache: Sendable {
    /// Pages that are kept, 4,096 events together; some MB.
    static let limit = 16

    private struct Page {
        let start: StreamPosition
        let end: StreamPosition
        let events: [Publication]
    }

    /// The one that was used last comes last.
    private let pages = Locked<[Page]>([])

    /// What is kept after a position, if anything: the rest of a page that it lies in.
    func page(after position: StreamPosition) -> [Publication]? {
        pages.withLock { pages in
            guard let index = pages.firstIndex(where: { $0.start <= position && position < $0.end }) else {
                return nil
            }
            let page = pages.remove(at: index)
            pages.append(page)
            let rest = page.events.drop { $0.position <= position }
            return rest.isEmpty ? nil : Array(rest)
        }
    }

    /// Keeps what was read after `start`: all there is up to `end`.
    func keep(_ events: [Publication], after start: StreamPosition, upTo end: StreamPosition) {
        pages.withLock { pages in
            guard !pages.contains(where: { $0.start == start && $0.end == end }) else { return }
            if pages.count == Self.limit { pages.removeFirst() }
            pages.append(Page(start: start, end: end, events: events))
        }
    }

    /// Forgets all, as after the store has lost what it had.
    func clear() {
        pages.withLock { $0.removeAll() }
    }
}
