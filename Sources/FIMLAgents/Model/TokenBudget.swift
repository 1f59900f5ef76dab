import FIMLCore

/// Tokens that may be spent in a day of UTC. What a question may cost is reserved before it is asked and
/// settled when its cost is known, so that questions under way at once do not overspend together.
struct TokenBudget {
    /// What was set aside for one question.
    struct Reservation: Hashable {
        fileprivate let day: Int64
        fileprivate let tokens: Int
    }

    private static let dayMilliseconds: Int64 = 86_400_000

    private let tokensPerDay: Int
    private var day = Int64.min
    private var used = 0

    /// A budget of which nothing is spent.
    init(tokensPerDay: Int) {
        self.tokensPerDay = tokensPerDay
    }

    /// Spent and reserved in the day of that moment.
    mutating func used(at now: Timestamp) -> Int {
        turn(to: now)
        return used
    }

    /// Sets tokens aside; nil where so many are not left.
    mutating func reserve(_ tokens: Int, at now: Timestamp) -> Reservation? {
        turn(to: now)
        guard tokens <= tokensPerDay - used else { return nil }
        used += tokens
        return Reservation(day: day, tokens: tokens)
    }

    /// Puts in place of what was reserved what it did cost, which may be more. What is of a day that is over
    /// does not matter any more.
    mutating func settle(_ reservation: Reservation, cost: Int) {
        guard reservation.day == day else { return }
        used += cost - reservation.tokens
    }

    /// A clock that is set back does not give a budget twice.
    private mutating func turn(to now: Timestamp) {
        let today = now.milliseconds / Self.dayMilliseconds
        guard today > day else { return }
        (day, used) = (today, 0)
    }
}
