import HTTP

/// The requests of one connection that are answered later: their answers go out in their order (RFC 9112
/// 9.3.2). Only requests that the service would have side by side are begun so; another one is held until
/// all before it have been answered, and so is what comes behind it.
final class Pipeline {
    /// So many are begun at most.
    static let limit = 64

    private struct Awaited {
        let number: Int
        let toHEAD: Bool
        let keepsAlive: Bool
        let mayBeFollowed: Bool
        var response: HTTPResponse?
    }

    private var awaited: [Awaited] = []
    /// A request that was read and must wait.
    private(set) var held: HTTPRequest?

    /// Whether one more may be looked at.
    var mayGrow: Bool {
        guard let last = awaited.last else { return true }
        return held == nil && awaited.count < Self.limit && last.mayBeFollowed && last.keepsAlive
    }

    /// Whether all have been answered.
    var isOver: Bool { awaited.isEmpty }

    /// Adds the newest request; with its answer, where that is there already.
    func add(
        _ number: Int, toHEAD: Bool, keepsAlive: Bool, mayBeFollowed: Bool, response: HTTPResponse? = nil
    ) {
        awaited.append(
            Awaited(
                number: number, toHEAD: toHEAD, keepsAlive: keepsAlive, mayBeFollowed: mayBeFollowed,
                response: response))
    }

    /// Holds a request until all before it have been answered.
    func hold(_ request: HTTPRequest) {
        held = request
    }

    /// An answer has come; false for one that nobody awaits.
    func answer(_ number: Int, _ response: HTTPResponse) -> Bool {
        guard let index = awaited.firstIndex(where: { $0.number == number }), awaited[index].response == nil
        else { return false }
        awaited[index].response = response
        return true
    }

    /// Takes the next answer, once it is its turn.
    func next() -> (response: HTTPResponse, toHEAD: Bool, keepsAlive: Bool)? {
        guard let first = awaited.first, let response = first.response else { return nil }
        awaited.removeFirst()
        return (response, first.toHEAD, first.keepsAlive)
    }
}
