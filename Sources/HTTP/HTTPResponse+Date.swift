extension HTTPResponse {
    private static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    /// 9999-12-31T23:59:59Z, since the format has four digits for the year.
    private static let latestSecond: Int64 = 253_402_300_799
    private static let secondsPerDay: Int64 = 86_400

    /// The time as `IMF-fixdate` of RFC 9110 section 5.6.7, such as "Sun, 06 Nov 1994 08:49:37 GMT". Times
    /// before 1970 and after 9999 become the nearest that can be written.
    public static func imfFixdate(secondsSince1970: Int64) -> String {
        let seconds = min(max(secondsSince1970, 0), latestSecond)
        let (day, second) = (Int(seconds / secondsPerDay), Int(seconds % secondsPerDay))
        let date = civilDate(daysSince1970: day)
        // 1970-01-01 was a Thursday.
        return "\(dayNames[day % 7]), \(twoDigits(date.day)) \(monthNames[date.month - 1]) \(date.year) "
            + "\(twoDigits(second / 3600)):\(twoDigits(second / 60 % 60)):\(twoDigits(second % 60)) GMT"
    }

    private static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    /// The Gregorian date of a day, after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
    /// civil_from_days. It counts years from March, so that the leap day is the last of a year, and repeats
    /// each 400 years, an era.
    private static func civilDate(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468  // since 0000-03-01
        let (era, dayOfEra) = (days / 146_097, days % 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }
}
