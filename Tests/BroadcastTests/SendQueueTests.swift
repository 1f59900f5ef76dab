import FIMLCore
import GatewayTesting
import Testing

@testable import Broadcast

@Suite("A slow consumer loses the lowest severity first, is told, and never sees half a frame")
struct SendQueueTests {
    /// What a consumer reads: frames of a made-up form, so that a torn one shows.
    private enum Read: Equatable {
        case kept(UInt64)
        case event(UInt64, Severity)
        case gap(from: UInt64, to: UInt64, total: Int)
    }

    /// Length in two bytes, a kind, a number in eight, padding.
    private func frame(_ kind: UInt8, _ number: UInt64, size: Int) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(size >> 8), UInt8(size & 0xff), kind]
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
        return bytes + Array(repeating: 0xaa, count: size - bytes.count)
    }

    private func event(_ number: UInt64, _ severity: Severity, size: Int = 100) -> [UInt8] {
        frame(UInt8(10 + severity.rank), number, size: size)
    }

    private func gap(_ loss: Loss) -> [UInt8] {
        frame(2, loss.from.milliseconds, size: 11) + frame(3, loss.to.milliseconds, size: 11)
            + frame(4, UInt64(loss.total), size: 11)
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func parse(_ bytes: [UInt8]) throws -> [Read] {
        var reads: [Read] = []
        var rest = bytes[...]
        var gap: (from: UInt64, to: UInt64) = (0, 0)
        while !rest.isEmpty {
            let start = rest.startIndex
            let size = Int(rest[start]) << 8 | Int(rest[start + 1])
            try #require(size >= 11 && size <= rest.count, "a torn frame")
            let number = number(rest[(start + 3)...])
            switch rest[start + 2] {
            case 1: reads.append(.kept(number))
            case 2: gap.from = number
            case 3: gap.to = number
            case 4: reads.append(.gap(from: gap.from, to: gap.to, total: Int(number)))
            case let kind: reads.append(.event(number, Severity.allCases[Int(kind) - 10]))
            }
            rest = rest.dropFirst(size)
        }
        return reads
    }

    private func position(_ number: UInt64) -> StreamPosition {
        StreamPosition(milliseconds: number, sequence: 0)
    }

    /// Takes from the queue what a socket with so much room would.
    private func take(_ queue: SendQueue, _ room: Int) -> [UInt8] {
        var buffer: [UInt8] = Array(repeating: 0, count: room)
        let count = buffer.withUnsafeMutableBytes { queue.gather(into: $0, gap) }
        queue.consume(count)
        return Array(buffer[..<count])
    }

    private func drain(_ queue: SendQueue) -> [UInt8] {
        var all: [UInt8] = []
        while !queue.isEmpty { all += take(queue, 64) }
        return all
    }

    @Test("Under half of the limit nothing is lost and order is kept")
    func order() throws {
        let queue = SendQueue(limit: 2000)
        #expect(queue.append(event(1, .low), position(1), .low) == nil)
        queue.append(frame(1, 7, size: 50))
        #expect(queue.append(event(2, .critical), position(2), .critical) == nil)
        #expect(try parse(drain(queue)) == [.event(1, .low), .kept(7), .event(2, .critical)])
        #expect(queue.byteCount == 0)
    }

    @Test("Over half, the oldest of the lowest severity go, and a gap stands where the first was")
    func shedding() throws {
        let queue = SendQueue(limit: 1000)
        let severities: [Severity] = [.high, .low, .medium, .critical, .low]
        for (index, severity) in severities.enumerated() {
            let number = UInt64(index + 1)
            #expect(queue.append(event(number, severity), position(number), severity) == nil)
        }
        let first = queue.append(event(6, .high), position(6), .high)
        #expect(first?.total == 1 && first?[.low] == 1 && first?.from == position(2))
        let second = queue.append(event(7, .high, size: 250), position(7), .high)
        // 250 bytes more: the other low one, the medium one, and the oldest high one make room.
        #expect(second?[.low] == 1 && second?[.medium] == 1 && second?[.high] == 1 && second?[.critical] == 0)
        let expected: [Read] = [
            .gap(from: 1, to: 5, total: 4), .event(4, .critical), .event(6, .high), .event(7, .high),
        ]
        #expect(try parse(drain(queue)) == expected)
    }

    @Test("What may not be shed fills the queue; then it is full")
    func full() {
        let queue = SendQueue(limit: 500)
        for number in 1...5 as ClosedRange<UInt64> {
            #expect(queue.append(event(number, .critical), position(number), .critical) == nil)
            #expect(!queue.isFull)
        }
        queue.append(frame(1, 1, size: 11))
        #expect(queue.isFull)
    }

    @Test(
        "The last word replaces all that waits, behind the rest of a frame that was begun", arguments: 0...99)
    func lastWord(written: Int) throws {
        let queue = SendQueue(limit: 1000)
        _ = queue.append(event(1, .low), position(1), .low)
        _ = queue.append(event(2, .critical), position(2), .critical)
        var bytes = take(queue, written)
        queue.replaceAll(with: frame(1, 99, size: 20))
        bytes += drain(queue)
        #expect(try parse(bytes) == (written == 0 ? [.kept(99)] : [.event(1, .low), .kept(99)]))
    }

    @Test(
        "However it is filled and taken from, everything arrives or is counted",
        arguments: 1...100 as ClosedRange<UInt64>)
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let queue = SendQueue(limit: 4000)
        var appended: [Severity: Int] = [:]
        var lost: [Severity: Int] = [:]
        var received: [UInt8] = []
        for number in 1...300 as ClosedRange<UInt64> {
            let severity = Severity.allCases[Int.random(in: 0..<4, using: &random)]
            let size = Int.random(in: 20...300, using: &random)
            // A full queue is closed by its owner; here it is emptied instead.
            if queue.isFull { received += drain(queue) }
            appended[severity, default: 0] += 1
            if let loss = queue.append(event(number, severity, size: size), position(number), severity) {
                for severity in Severity.allCases { lost[severity, default: 0] += loss[severity] }
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                received += take(queue, Int.random(in: 1...900, using: &random))
            }
        }
        received += drain(queue)
        #expect(queue.byteCount == 0)
        let reads = try parse(received)
        var told = 0
        var last: UInt64 = 0
        for read in reads {
            switch read {
            case .event(let number, let severity):
                #expect(number > last, "seed \(seed): out of order")
                last = number
                appended[severity, default: 0] -= 1
            case .gap(let from, _, let total):
                #expect(from > last, "seed \(seed): a gap is told before anything later")
                told += total
            case .kept: Issue.record("nothing of that kind was appended")
            }
        }
        #expect(lost[.critical] ?? 0 == 0)
        #expect(told == lost.values.reduce(0, +), "seed \(seed): told and lost differ")
        for severity in Severity.allCases {
            #expect(appended[severity] == lost[severity] ?? 0, "seed \(seed)")
        }
    }
}
