import Locking

/// Runs work that may hang, one at a time.
///
/// Work that takes too long is cancelled and left alone: who waits for it goes on, also where the work does not
/// listen to its cancellation. Until it has ended, no other is begun.
final class TimeLimit: Sendable {
    private let isUnderWay = Locked(false)

    /// What `work` gives. Throws what it throws, and `CheckError` where it takes longer than `limit` or the one
    /// before has still not ended.
    func run<Value: Sendable>(
        _ limit: Duration, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let isFree = isUnderWay.withLock { isUnderWay in
            defer { isUnderWay = true }
            return !isUnderWay
        }
        guard isFree else { throw CheckError.stillUnderWay }
        let (results, continuation) = AsyncStream<Result<Value, any Error>>.makeStream()
        let working = Task { [isUnderWay] in
            let result: Result<Value, any Error>
            do { result = .success(try await work()) } catch { result = .failure(error) }
            isUnderWay.withLock { $0 = false }
            continuation.yield(result)
            continuation.finish()
        }
        let waiting = Task {
            guard (try? await Task.sleep(for: limit)) != nil else { return }
            continuation.yield(.failure(CheckError.tookTooLong(limit)))
            continuation.finish()
        }
        defer {
            waiting.cancel()
            working.cancel()
        }
        // Nil where the task that waits here was cancelled.
        for await result in results { return try result.get() }
        throw CancellationError()
    }
}

/// Why a check ended without an answer of its watchdog.
enum CheckError: Error, CustomStringConvertible {
    case tookTooLong(Duration)
    case stillUnderWay

    var description: String {
        switch self {
        case .tookTooLong(let limit): "no answer within \(limit.components.seconds) s"
        case .stillUnderWay: "the check before has not ended yet"
        }
    }
}
