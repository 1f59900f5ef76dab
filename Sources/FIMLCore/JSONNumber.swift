/// The quick way from the digits of a number to its value, and back. Both give exactly what the standard
/// library's own conversions give, or nil where those are needed.
enum JSONNumber {
    /// 10 to the power of 0 to 19, the last that 64 bits hold.
    private static let powersOfTen: [UInt64] = (0...19).map { power in
        (0..<power).reduce(1) { product, _ in product * 10 }
    }

    /// `digits` divided by 10 to the power of `places`, rounded to the nearest, ties to even; nil where there
    /// are more than 19 places.
    ///
    /// The quotient is computed by integers to 63 bits or more. What remains of the division is kept as a
    /// lowest bit that is set, which is all that rounding to 53 bits needs to know of it.
    static func double(_ digits: UInt64, places: Int) -> Double? {
        guard places < powersOfTen.count else { return nil }
        guard digits != 0 else { return 0 }
        let divisor = powersOfTen[places]
        // Both are exact, and a division of two exact numbers rounds once (IEEE 754 section 5.4.1).
        if digits <= 1 << 53, places <= 15 { return Double(digits) / Double(divisor) }
        let shift = digits.leadingZeroBitCount
        let divisorShift = divisor.leadingZeroBitCount
        let numerator = digits << UInt64(shift)
        let (quotient, remainder) = (divisor << UInt64(divisorShift))
            .dividingFullWidth((numerator >> 1, numerator << 63))
        let rounded = Double(remainder == 0 ? quotient : quotient | 1)
        return Double(sign: .plus, exponent: divisorShift - shift - 63, significand: rounded)
    }

    /// A number as a whole number of ten-thousandths, where that is what it is to the last bit and it is not
    /// zero; nil for all others.
    ///
    /// Decimals of 15 digits or fewer are all different as `Double` (DBL_DIG), so the one found is the
    /// shortest that reads back to the number.
    static func tenThousandths(_ number: Double) -> Int64? {
        let scaled = (number * 10_000).rounded()
        guard scaled != 0, abs(scaled) < 1e15, scaled / 10_000 == number else { return nil }
        return Int64(scaled)
    }

    /// Appends the digits of a whole number.
    static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var count = 1
        while count < powersOfTen.count, number >= powersOfTen[count] { count += 1 }
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count))
        var rest = number
        var place = bytes.count - 1
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
            place -= 1
        }
    }

    /// Appends a number of ten-thousandths as `Double.description` writes it: at least one digit after the
    /// point, and no zero at the end after that.
    static func append(tenThousandths: Int64, to bytes: inout [UInt8]) {
        if tenThousandths < 0 { bytes.append(UInt8(ascii: "-")) }
        let (whole, fraction) = tenThousandths.magnitude.quotientAndRemainder(dividingBy: 10_000)
        append(whole, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        var rest = fraction
        var unit: UInt64 = 1_000
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        } while rest > 0
    }
}
