/// Moves a replay clock by the real one. The only place of the replay that reads a clock.
actor ReplayDriver {
    private var clock: ReplayClock
    private let tick: Duration
    private let begin = ContinuousClock.now
    private var moments: [MarketMoment] = []
    private var next = 0
    private var hasLooked = false

    init(_ clock: ReplayClock, tick: Duration) {
        self.clock = clock
        self.tick = tick
    }

    /// The next moment, once it has come; nil when the task was cancelled.
    func next() async -> MarketMoment? {
        while next == moments.count {
            // Between two looks at the clock lies a tick, also while there is always something to tell.
            if hasLooked { guard (try? await Task.sleep(for: tick)) != nil else { return nil } }
            hasLooked = true
            moments = clock.advance(to: begin.duration(to: .now))
            next = 0
        }
        defer { next += 1 }
        return Task.isCancelled ? nil : moments[next]
    }
}
