import FIMLCore
import Testing

@Suite("Times are RFC 3339 in UTC, to the millisecond")
struct TimestampTests {
    // The seconds are GNU date's: `date -u -d … +%s`.
    @Test(
        "Times are written with three digits and read back",
        arguments: [
            ("1970-01-01T00:00:00.000Z", 0), ("1999-12-31T23:59:59.999Z", 946_684_799_999),
            ("2000-02-29T12:00:00.000Z", 951_825_600_000), ("2000-03-01T00:00:00.000Z", 951_868_800_000),
            ("2026-11-24T05:24:01.123Z", 1_795_497_841_123), ("2100-02-28T23:59:59.000Z", 4_107_542_399_000),
            ("2100-03-01T00:00:00.000Z", 4_107_542_400_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func both(text: String, milliseconds: Int64) {
        #expect(Timestamp(milliseconds: milliseconds).rfc3339 == text)
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
        var bytes: [UInt8] = [0x20]
        Timestamp(milliseconds: milliseconds).append(to: &bytes)
        #expect(bytes == Array(" \(text)".utf8))
    }

    // RFC 3339 section 5.8, and what section 5.6 allows beside it.
    @Test(
        "Offsets, fractions and small letters are understood",
        arguments: [
            ("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z"),
            ("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000Z"),
            ("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z"),
            ("1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000Z"),
            ("2026-11-24t05:24:01z", "2026-11-24T05:24:01.000Z"),
            ("2026-11-24T05:24:01.1239999999999999999999Z", "2026-11-24T05:24:01.123Z"),
            ("2026-11-24T10:54:01+05:30", "2026-11-24T05:24:01.000Z"),
            ("2026-11-24T05:24:01-00:00", "2026-11-24T05:24:01.000Z"),
        ])
    func lenient(text: String, same: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339 == same)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "2026-11-24", "2026-11-24T05:24:01", "2026-11-24 05:24:01Z", "2026-11-24T05:24Z",
            "2026-11-24T05:24:01.Z", "2026-11-24T05:24:01Z ", " 2026-11-24T05:24:01Z",
            "2026-11-24T05:24:01+0530",
            "2026-11-24T05:24:01+24:00", "2026-11-24T05:24:01+05:60", "2026-11-24T24:00:00Z",
            "2026-11-24T05:60:00Z", "2026-11-24T05:24:61Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-00T00:00:00Z",
            "26-11-24T05:24:01Z", "+2026-11-24T05:24:01Z", "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00Z", "２026-11-24T05:24:01Z",
        ])
    func refused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("What cannot be written is written as the nearest that can")
    func clamped() {
        #expect(Timestamp(milliseconds: .min).rfc3339 == "1970-01-01T00:00:00.000Z")
        #expect(Timestamp(milliseconds: .max).rfc3339 == "9999-12-31T23:59:59.999Z")
    }

    @Test("Moments from 1970 to 9999, some two months apart, read back")
    func roundTrip() {
        // 61 days, 3 h 25 min 45.678 s: every day of the month and every hour comes up.
        for moment in stride(from: Int64(0), through: Timestamp.last.milliseconds, by: 5_282_745_678) {
            let timestamp = Timestamp(milliseconds: moment)
            guard Timestamp(rfc3339: timestamp.rfc3339) == timestamp else {
                Issue.record("\(timestamp.rfc3339) does not read back")
                return
            }
        }
    }
}

@Suite("A position has one spelling")
struct StreamPositionTests {
    @Test(
        "Positions are read",
        arguments: ["0-0", "1732416001104-0", "18446744073709551615-18446744073709551615"])
    func valid(text: String) {
        #expect(StreamPosition(text)?.description == text)
        #expect(StreamPosition(text).map { String(decoding: $0.json, as: UTF8.self) } == "\"\(text)\"")
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "-", "1", "1-", "-1", "1-2-3", "+1-2", "1-+2", "01-2", "1-02", "1 -2", "1- 2", "1-2 ", "a-b",
            "1--2",
            "18446744073709551616-0", "0-18446744073709551616", "1.0-2", "１-2", "$", "*",
        ])
    func refused(text: String) {
        #expect(StreamPosition(text) == nil)
    }
}
