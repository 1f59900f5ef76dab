import Testing

@Suite("The source keeps to the project's style")
struct StyleTests {
    private let sources: [SourceFile]
    private let everything: [SourceFile]

    init() throws {
        sources = try SourceFile.all(in: "Sources")
        everything = try sources + SourceFile.all(in: "Tests")
    }

    /// Not allowed in `Sources`, and what to do instead.
    private static let forbidden = [
        ("try" + "!", "handle the error, or precondition with a reason"),
        ("as" + "!", "use as? and say what happens otherwise"),
        ("fatal" + "Error(", "precondition for our faults, an error for the world's"),
        ("TO" + "DO", "do it, or say it in the README"),
        ("FIX" + "ME", "fix it"),
        ("Thread." + "sleep", "time comes in as a parameter or from a timer"),
        ("u" + "sleep(", "time comes in as a parameter or from a timer"),
    ]

    /// What the compiler cannot check, and the files that may say it, each with a comment that says why it is
    /// true.
    private static let unchecked: [String: Set<String>] = [
        "@unchecked " + "Sendable": [
            "Sources/Locking/Locked.swift", "Sources/PostgresStore/PostgresConnection.swift",
            "Sources/RedisStore/RedisConnection.swift",
            "Sources/TLS/TLSContext.swift",
        ],
        "nonisolated" + "(unsafe)": [],
    ]

    @Test("Files have at most 400 lines")
    func fileLength() {
        for file in everything {
            #expect(file.lines.count <= 400, "\(file.path)")
        }
    }

    @Test("Lines have at most 110 columns")
    func lineLength() {
        for file in everything {
            for (number, line) in zip(1..., file.lines) {
                #expect(line.count <= 110, "\(file.path):\(number)")
            }
        }
    }

    @Test("Functions have at most 70 lines")
    func functionLength() {
        for file in everything {
            for function in file.functions {
                #expect(function.lineCount <= 70, "\(file.path):\(function.line)")
            }
        }
    }

    @Test("No forbidden word is in the sources", arguments: forbidden)
    func forbiddenWords(word: String, instead: String) {
        for file in sources {
            #expect(file.lines(containing: word) == [], "\(file.path): \(instead)")
        }
    }

    @Test("What the compiler cannot check is only in the files listed for it", arguments: unchecked)
    func uncheckedWords(word: String, allowed: Set<String>) {
        let found = Set(everything.filter { !$0.lines(containing: word).isEmpty }.map(\.path))
        #expect(found == allowed)
    }

    @Test("Every public declaration is documented")
    func documentation() {
        for file in sources {
            #expect(file.undocumentedPublicLines == [], "\(file.path)")
        }
    }
}

@Suite("The style rules see what they are to see")
struct SourceFileTests {
    @Test("A function's length runs from its declaration to its closing brace, whatever its signature")
    func functions() {
        let file = SourceFile(
            path: "x",
            text: """
                protocol P {
                    func requirement()
                    init(a: Int)
                }
                public struct S: P {
                    func one() {}
                    public static func two(
                        a: Int
                    ) throws -> Int
                    where A: B {
                        if a > 0 {
                            a
                        }

                        func inner() {
                            0
                        }
                    }
                    private init?(b: Int) {
                        c
                    }
                    let functional = 0
                }
                """)
        #expect(file.functions.map(\.line) == [7, 15, 19])
        #expect(file.functions.map(\.lineCount) == [12, 3, 3])
    }

    @Test("A public declaration needs /// above it and above its attributes")
    func documentation() {
        let file = SourceFile(
            path: "x",
            text: """
                public import A
                public struct Bare {
                    /// Good.
                    @inlinable
                    public func good() {}
                    // Not enough.
                    public let bad: Int
                    @inlinable public func alsoBad() {}
                    private let fine = 0
                }
                public extension Bare {
                }
                """)
        #expect(file.undocumentedPublicLines == [2, 7, 8])
    }
}
