import Analysis
import FIMLCore
import GatewayTesting
import Testing

@testable import FIMLAgents

@Suite("Frames between the gateway and its worker hosts are read however they are cut")
struct WorkerFrameTests {
    private static let moment = Timestamp(milliseconds: 1_700_000_000_000)

    private static let replies: [WorkerReply] = [
        .heartbeat,
        .answer(
            task: 1,
            .finding(Finding(score: 5, confidence: 0.5, asOf: moment, details: ["rsi": 50.5]))),
        .answer(task: .init(Int64.max), .insufficient([MissingFigures(.bars, reason: "none")])),
        .failed(task: 3, "because"),
    ]

    /// All that a reader makes of pieces.
    private static func read(_ pieces: [ArraySlice<UInt8>]) throws -> [WorkerReply] {
        var reader = FrameReader()
        var replies: [WorkerReply] = []
        for piece in pieces {
            reader.append(piece)
            while let frame = try reader.next() { replies.append(try WorkerReply.parse(frame)) }
        }
        #expect(!reader.holdsPart)
        return replies
    }

    private static func stream() throws -> [UInt8] {
        try replies.flatMap { try #require(WorkerFrame.encode($0)) }
    }

    @Test("A frame is four bytes of length, most significant first, and JSON")
    func layout() {
        #expect(
            WorkerFrame.encode(WorkerReply.heartbeat) == [0, 0, 0, 18] + Array(#"{"heartbeat":true}"#.utf8))
    }

    @Test("Cut at any byte, the same frames come out")
    func everySplit() throws {
        let bytes = try Self.stream()
        for place in 0...bytes.count {
            #expect(try Self.read([bytes[..<place], bytes[place...]]) == Self.replies)
        }
        #expect(try Self.read(bytes.indices.map { bytes[$0...$0] }) == Self.replies)
    }

    @Test("A request is the same after it was written and read, whether its figures travel or are held")
    func request() throws {
        let request = WorkerRequest(task: 7, worker: 3, figures: FaultyHost.figures("AAPL", bars: 260))
        let text = request.figures.withoutSubject.json
        var held = HeldFigures()
        let first = try Self.sent(request.carrying(text, keptAt: Self.place))
        #expect(try WorkerRequest.parse(first, held: &held) == .success(request))
        let second = try Self.sent(request.held(at: Self.place))
        #expect(try WorkerRequest.parse(second, held: &held) == .success(request))
        #expect(second.count < 200 && first.count > 5_000)
    }

    @Test("Figures that are not held cannot be judged; a place that there is not keeps nothing")
    func notHeld() throws {
        let request = WorkerRequest(task: 7, worker: 3, figures: FaultyHost.figures("AAPL"))
        var held = HeldFigures()
        let refused = Result<WorkerRequest, RefusedTask>.failure(
            RefusedTask(task: 7, reason: "a task without figures"))
        #expect(try WorkerRequest.parse(Self.sent(request.held(at: Self.place)), held: &held) == refused)
        let text = request.figures.withoutSubject.json
        for index in [-1, SentFigures.placeCount] {
            let place = SentFigures.Place(index: index, number: 1)
            _ = try WorkerRequest.parse(Self.sent(request.carrying(text, keptAt: place)), held: &held)
        }
        #expect(held.count == 0)
    }

    private static let place = SentFigures.Place(index: 5, number: 70)

    @Test("What did not arrive is not taken for what had been there before")
    func stale() throws {
        let request = WorkerRequest(task: 7, worker: 3, figures: FaultyHost.figures("AAPL"))
        var held = HeldFigures()
        let text = request.figures.withoutSubject.json
        _ = try WorkerRequest.parse(Self.sent(request.carrying(text, keptAt: Self.place)), held: &held)
        let newer = SentFigures.Place(index: 5, number: 71)
        #expect(
            try WorkerRequest.parse(Self.sent(request.held(at: newer)), held: &held)
                == .failure(RefusedTask(task: 7, reason: "a task without figures")))
    }

    private static func sent(_ request: WorkerRequest.Written) throws -> [UInt8] {
        var reader = FrameReader()
        reader.append(try #require(WorkerFrame.encode(request)))
        return try #require(try reader.next())
    }

    @Test("The place that was not used for longest is given to new figures; another process holds nothing")
    func places() {
        var sent = SentFigures()
        sent.follow(process: 1)
        let figures = (1...SentFigures.placeCount + 1).map {
            FaultyHost.figures("AAPL", bars: $0).withoutSubject
        }
        let places = figures.dropLast().map { sent.keep($0, number: 7) }
        #expect(Set(places.map(\.index)) == Set(0..<SentFigures.placeCount))
        #expect(sent.place(of: figures[0]) == places[0])
        #expect(sent.keep(figures[SentFigures.placeCount], number: 8).index == places[1].index)
        #expect(sent.place(of: figures[1]) == nil)
        sent.follow(process: 2)
        #expect(sent.place(of: figures[0]) == nil)
    }

    private static let lengths: [([UInt8], String)] = [
        ([0, 0, 0, 0], "a frame of 0 bytes"), ([0, 0, 0, 1], "a frame of 1 bytes"),
        ([0, 0x80, 0, 1], "a frame of 8388609 bytes"), ([255, 255, 255, 255], "a frame of 4294967295 bytes"),
    ]

    @Test("A length that no frame has is refused before its bytes are waited for", arguments: lengths)
    func hostileLength(bytes: [UInt8], problem: String) throws {
        var reader = FrameReader()
        reader.append(bytes[..<3])
        #expect(try reader.next() == nil)
        reader.append(bytes[3...])
        let error = #expect(throws: FrameViolation.self) { try reader.next() }
        #expect(error?.description == problem)
    }

    @Test("A frame of the greatest length is read; a longer value is not written")
    func greatestLength() throws {
        let text = String(repeating: "x", count: FrameReader.maxBytes - 2)
        let frame = try #require(WorkerFrame.encode(text))
        #expect(Array(frame[..<4]) == [0, 0x80, 0, 0])
        var reader = FrameReader()
        reader.append(frame)
        #expect(try reader.next()?.count == FrameReader.maxBytes)
        #expect(WorkerFrame.encode(text + "x") == nil)
    }

    /// A reply's text, and what it is.
    private static let parsed: [(String, WorkerReply?)] = [
        (#"{"task":1,"error":"no"}"#, .failed(task: 1, "no")),
        (#"{"task":1,"error":7}"#, .nonsense(task: 1, "error must be a string")),
        (#"{"task":1,"finding":{"score":"x"}}"#, .nonsense(task: 1, "finding.details is required")),
        (
            #"{"task":1,"finding":{"score":"x","confidence":1,"as_of":0,"details":{}}}"#,
            .nonsense(task: 1, "finding.score must be a number")
        ),
        (#"{"task":1,"insufficient":[]}"#, .nonsense(task: 1, "insufficient must not be empty")),
        (
            #"{"task":1,"insufficient":7}"#,
            .nonsense(task: 1, "insufficient must be a list of at most 512 entries")
        ),
        (#"{"task":1}"#, .nonsense(task: 1, "neither finding, insufficient nor error")),
        (#"{"task":-1,"error":"no"}"#, nil), (#"{"task":"1","error":"no"}"#, nil), (#"{"error":"no"}"#, nil),
        (#"{"heartbeat":false}"#, nil), (#"[]"#, nil), (#"{"task":1"#, nil), ("\u{0}\u{1}", nil),
    ]

    @Test("What a host says is an answer, nonsense about a task, or no reply at all", arguments: parsed)
    func reply(text: String, expected: WorkerReply?) {
        #expect((try? WorkerReply.parse(Array(text.utf8))) == expected)
    }

    @Test("A task that cannot be done is refused with its number; without one nothing can be said")
    func badRequest() throws {
        var held = HeldFigures()
        let refused = try WorkerRequest.parse(
            Array(#"{"task":9,"worker":0,"asset":{},"moment":0,"figures":{}}"#.utf8), held: &held)
        #expect(refused == .failure(RefusedTask(task: 9, reason: "figures.asset is required")))
        let homeless = try WorkerRequest.parse(
            Array(#"{"task":9,"worker":1.5,"asset":{},"moment":0,"figures":{}}"#.utf8), held: &held)
        #expect(
            homeless == .failure(RefusedTask(task: 9, reason: "a task without worker, asset or moment")))
        let bytes = Array(#"{"worker":0}"#.utf8)
        #expect(throws: FrameViolation.self) { _ = try WorkerRequest.parse(bytes, held: &held) }
    }

    @Test("Whatever bytes come, they are frames or a violation", arguments: 0..<8 as Range<UInt64>)
    func anyBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var violations = 0
        for _ in 0..<500 {
            var bytes = try Self.stream()
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                }
            }
            var reader = FrameReader()
            var count = 0
            do {
                var rest = bytes[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(Int.random(in: 1...64, using: &generator))
                    rest = rest.dropFirst(piece.count)
                    reader.append(piece)
                    while let frame = try reader.next() {
                        _ = try WorkerReply.parse(frame)
                        count += 1
                    }
                }
            } catch {
                violations += 1
            }
            #expect(count <= bytes.count / 6)
        }
        #expect(violations > 0)
    }
}

@Suite("A host that has ended is started again after a pause that grows")
struct RestartBackoffTests {
    @Test("0.1 s, twice as long each time, 30 s at most; a minute of running begins anew")
    func grows() {
        var backoff = RestartBackoff()
        let pauses = (0..<12).map { _ in backoff.pause(ranFor: .seconds(59), random: 0.5) }
        let expected = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000].map {
            Duration.milliseconds($0)
        }
        #expect(pauses == expected)
        #expect(backoff.pause(ranFor: .seconds(60), random: 0.5) == .milliseconds(100))
        #expect(backoff.pause(ranFor: .zero, random: 0.5) == .milliseconds(200))
    }

    @Test("A pause is up to a quarter shorter or longer")
    func jitter() {
        var low = RestartBackoff()
        var high = RestartBackoff()
        #expect(low.pause(ranFor: .zero, random: 0) == .milliseconds(75))
        #expect(high.pause(ranFor: .zero, random: 1) == .milliseconds(125))
    }
}
