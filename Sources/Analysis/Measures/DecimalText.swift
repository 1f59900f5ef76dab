/// Figures within sentences.
enum DecimalText {
    /// With that many decimals, 0 to 6, and without a sign at zero. Beyond ±10¹² it only says so.
    static func decimals(_ value: Double, _ count: Int = 2) -> String {
        guard abs(value) < 1e12 else { return value < 0 ? "below -10¹²" : "above 10¹²" }
        let scale = (0..<min(max(count, 0), 6)).reduce(1 as Int64) { scale, _ in scale * 10 }
        let scaled = Int64((abs(value) * Double(scale)).rounded())
        let sign = value < 0 && scaled != 0 ? "-" : ""
        guard scale > 1 else { return "\(sign)\(scaled)" }
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: "\(scale)".count - 1 - fraction.count)
        return "\(sign)\(scaled / scale).\(zeros)\(fraction)"
    }

    /// A fraction in percent: `12.3 %` of 0.1234.
    static func percent(_ fraction: Double) -> String {
        decimals(fraction * 100, 1) + " %"
    }
}
