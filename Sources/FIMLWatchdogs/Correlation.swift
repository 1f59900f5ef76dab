/// How closely two series move together.
enum Correlation {
    /// Below this standard deviation a series of returns is constant but for rounding: prices of a fixed
    /// growth differ in the sixteenth digit.
    private static let constantDeviation = 1e-12

    /// Pearson's product-moment coefficient of two series of equal length, −1 to 1: the sum of products of
    /// deviations from the means over the root of the product of their sums of squares. Nil where it is not
    /// defined, as for a series that is constant.
    static func pearson(_ first: ArraySlice<Double>, _ second: ArraySlice<Double>) -> Double? {
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
        let least = constantDeviation * constantDeviation * count
        let coefficient = products / (firstSquares.squareRoot() * secondSquares.squareRoot())
        guard firstSquares > least, secondSquares > least, coefficient.isFinite else { return nil }
        return min(max(coefficient, -1), 1)
    }
}
