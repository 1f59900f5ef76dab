/// How closely two series of returns move together.
struct Comovement {
    /// Pearson's product-moment coefficient, −1 to 1. Nil where a series is constant or not finite.
    let correlation: Double?
    /// How much the first moves for one of the second: their covariance over the variance of the second, both
    /// with the same divisor. Nil where the second is constant or one is not finite.
    let beta: Double?

    /// Of two series of equal length.
    init(_ first: ArraySlice<Double>, _ second: ArraySlice<Double>) {
        let count = Double(first.count)
        let firstMean = first.reduce(0, +) / count
        let secondMean = second.reduce(0, +) / count
        var (products, firstSquares, secondSquares) = (0.0, 0.0, 0.0)
        for (first, second) in zip(first, second) {
            let (firstDeviation, secondDeviation) = (first - firstMean, second - secondMean)
            products += firstDeviation * secondDeviation
            firstSquares += firstDeviation * firstDeviation
            secondSquares += secondDeviation * secondDeviation
        }
        let least = ReturnStatistics.constantDeviation * ReturnStatistics.constantDeviation * count
        // An overflow in one of the squares alone would pass for a correlation of 0.
        guard secondSquares > least, firstSquares.isFinite, secondSquares.isFinite else {
            correlation = nil
            beta = nil
            return
        }
        let slope = products / secondSquares
        beta = slope.isFinite ? slope : nil
        let coefficient = products / (firstSquares.squareRoot() * secondSquares.squareRoot())
        correlation = firstSquares > least && coefficient.isFinite ? min(max(coefficient, -1), 1) : nil
    }
}
