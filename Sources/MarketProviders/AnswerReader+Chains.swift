import FIMLCore
import MarketData

/// One output of a Bitcoin transaction.
struct BitcoinOutput {
    let address: JSONValue?
    let satoshis: JSONValue?
}

// What sources of chains answer alike.
extension AnswerReader {
    /// How many transactions or log entries of an answer are looked at. A Bitcoin block cannot hold as many;
    /// 50 blocks of Ethereum hold some thousand transfers of a token.
    static let transactionLimit = 50_000
    /// All bitcoins there can be, in satoshis: 21 million. Sums below are exact in a `Double`.
    private static let allSatoshis = 2.1e15

    /// A hash of 32 bytes as 64 hexadecimal digits, after `prefix`.
    mutating func hash(_ value: JSONValue?, prefix: String = "", at place: @autoclosure () -> String)
        -> String?
    {
        if let text = value?.text, text.hasPrefix(prefix), Self.isHash(text.dropFirst(prefix.count)) {
            return text
        }
        refuse(place(), "is not a hash")
        return nil
    }

    /// The hash of a transaction on any chain, whose forms differ: 32 to 128 letters, digits and underscores.
    mutating func anyHash(_ value: JSONValue?, at place: @autoclosure () -> String) -> String? {
        if let text = value?.text, (32...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 < 0x80 }),
            text.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
        {
            return text
        }
        refuse(place(), "is not a hash")
        return nil
    }

    /// Whether a text is 64 hexadecimal digits.
    static func isHash(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy(isHexadecimal)
    }

    /// A name or an address: 1 to 128 characters of printable ASCII; else nil, for no transaction is refused
    /// because it does not tell a party.
    static func party(_ value: JSONValue?) -> String? {
        guard let text = value?.text, (1...128).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) })
        else { return nil }
        return text
    }

    /// A count that is written as a number.
    mutating func count(_ value: JSONValue?, at place: @autoclosure () -> String) -> Int? {
        if let count = value?.int64, (0...1_000_000_000).contains(count) { return Int(count) }
        refuse(place(), "is not a count")
        return nil
    }

    /// An integer of up to 128 bits in hexadecimal (`0x1f`); leading zeros do not count. No chain has so much
    /// of anything that is worth its price.
    mutating func hexadecimal(_ value: JSONValue?, at place: @autoclosure () -> String) -> UInt128? {
        if let text = value?.text, text.hasPrefix("0x"), (3...66).contains(text.utf8.count) {
            let digits = text.utf8.dropFirst(2)
            if digits.allSatisfy(Self.isHexadecimal), let number = UInt128(text.dropFirst(2), radix: 16) {
                return number
            }
        }
        refuse(place(), "is not a hexadecimal integer of up to 128 bits")
        return nil
    }

    /// So many smallest units as whole ones. Divided before it is rounded: 1,234.5 ether are more wei than a
    /// `Double` tells apart, and still give 1,234.5.
    static func whole(_ units: UInt128, of unit: UInt128) -> Double {
        let (whole, rest) = units.quotientAndRemainder(dividingBy: unit)
        return Double(whole) + Double(rest) / Double(unit)
    }

    /// A moment given in seconds since 1970 in hexadecimal.
    mutating func hexadecimalSeconds(_ value: JSONValue?, at place: @autoclosure () -> String) -> Timestamp? {
        guard let number = hexadecimal(value, at: place()) else { return nil }
        if let seconds = Int64(exactly: number), seconds < Self.moments.upperBound.milliseconds / 1_000,
            Self.moments.contains(Timestamp(milliseconds: seconds * 1_000))
        {
            return Timestamp(milliseconds: seconds * 1_000)
        }
        refuse(place(), "is not a moment from 1990 to 2100")
        return nil
    }

    /// A Bitcoin transaction: who owned what its first input spends, who receives the largest output that
    /// does not go back to them, and the sum of all outputs, change included: which one is change no
    /// transaction tells. Refused where the hash or any output is: a sum without it would be another.
    mutating func bitcoinTransaction(
        hash: JSONValue?, from: JSONValue?, outputs: [BitcoinOutput], observedAt: Timestamp, at place: String
    ) -> ChainTransaction? {
        guard let hash = self.hash(hash, at: "\(place).hash") else { return nil }
        guard !outputs.isEmpty else {
            refuse(place, "has no outputs")
            return nil
        }
        let payer = Self.party(from)
        var sum = 0.0
        var largest = -1.0
        var receiver = payer
        for (index, output) in outputs.enumerated() {
            guard let value = amount(output.satoshis, at: "\(place).outputs[\(index)].value") else {
                return nil
            }
            sum += value
            let address = Self.party(output.address)
            if value > largest, address == nil || address != payer {
                largest = value
                receiver = address
            }
        }
        guard sum <= Self.allSatoshis else {
            refuse(place, "moves \(sum) satoshis, which is more than there are")
            return nil
        }
        return ChainTransaction(
            hash: hash, observedAt: observedAt, from: payer, to: receiver, amount: sum / 1e8)
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }
}
