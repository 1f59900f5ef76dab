import FIMLCore
import Testing

@testable import MarketData

@Suite("Times in files of market data")
struct CSVTimeTests {
    /// Milliseconds taken from GNU `date -u -d … +%s`.
    @Test(
        "each form that is allowed names its moment",
        arguments: [
            ("2020-03-16", 1_584_316_800_000, true), ("2000-02-29", 951_782_400_000, true),
            ("1969-12-31", -86_400_000, true), ("2020-03-16T20:00:00Z", 1_584_388_800_000, false),
            ("2020-03-16 20:00:00", 1_584_388_800_000, false),
            ("2020-03-16t20:00:00.25z", 1_584_388_800_250, false),
            ("2020-03-16T16:00:00-04:00", 1_584_388_800_000, false),
            ("2021-11-18T00:00:00.017Z", 1_637_193_600_017, false), ("1584388800", 1_584_388_800_000, false),
            ("1584388800123", 1_584_388_800_123, false), ("0", 0, false),
            ("2020-03-16T20:00:00.123456789Z", 1_584_388_800_123, false),
        ])
    func allowed(text: String, milliseconds: Int64, isDay: Bool) throws {
        let parsed = try #require(CSVTime.parse(Array(text.utf8)[...]))
        #expect(parsed.time.milliseconds == milliseconds)
        #expect(parsed.isDay == isDay)
    }

    @Test(
        "everything else is refused",
        arguments: [
            "", "yesterday", "2020-3-16", "2020-02-30", "2019-02-29", "2020-13-01", "2020-00-10",
            "2020-01-00",
            "2020-03-16T24:00:00Z", "2020-03-16T20:60:00Z", "2020-03-16T20:00:60Z", "2020-03-16T20:00",
            "1899-12-31",
            "2020-03-16T20:00:00.Z", "2020-03-16T20:00:00+1:00", "2020-03-16T20:00:00*01:00", "2200-01-01",
            "99999999999999999999", "9999999999999", "-5", "1e9", "2020-03-16T20:00:00ZZ", "0000-01-01",
        ])
    func refused(text: String) {
        #expect(CSVTime.parse(Array(text.utf8)[...]) == nil)
    }
}
