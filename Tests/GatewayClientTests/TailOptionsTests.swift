import FIMLCore
import Testing

@testable import GatewayClient

@Suite("The flags of tail become a filter and a start, and a wrong one says what is known")
struct TailOptionsTests {
    private static let filters: [(String, [String], String)] = [
        ("no flag lets everything pass", [], "{}"),
        (
            "the issue's example", ["--min-severity", "high", "--watchdog", "price_anomaly"],
            #"{"min_severity":"high","watchdogs":["price_anomaly"]}"#
        ),
        (
            "lists by comma and by repetition, put into normal form",
            ["--asset", "ETH*,btc", "--asset=SOL", "--severity", "critical,low"],
            #"{"severities":["low","critical"],"assets":["BTC","ETH*","SOL"]}"#
        ),
        (
            "types", ["--event-type", "flash_crash", "--asset-type", "crypto,equity", "--no-market-wide"],
            #"{"event_types":["flash_crash"],"asset_types":["equity","crypto"],"include_market_wide":false}"#
        ),
        (
            "where", ["--where", #"{"key":"data.usd_value","cmp":"gte","val":5}"#],
            #"{"where":{"key":"data.usd_value","cmp":"gte","val":5}}"#
        ),
        ("a whole filter", ["--filter", #"{"min_severity":"low"}"#], #"{"min_severity":"low"}"#),
    ]

    @Test("Flags are members of the filter", arguments: filters)
    func filter(name: String, words: [String], json: String) throws {
        #expect(String(decoding: try TailOptions(words).filter.json, as: UTF8.self) == json)
    }

    private static let starts: [([String], SubscriptionStart)] = [
        ([], .live),
        (["--last", "0"], .last(0)),
        (
            ["--since", "1732416001104-3"],
            .after(StreamPosition(milliseconds: 1_732_416_001_104, sequence: 3))
        ),
        (["--since=1970-01-01T00:00:01Z"], .since(Timestamp(milliseconds: 1000))),
    ]

    @Test("--since and --last say where to begin", arguments: starts)
    func start(words: [String], start: SubscriptionStart) throws {
        #expect(try TailOptions(words).start == start)
    }

    private static let wrongCases: [([String], String)] = [
        (
            ["--min-severity", "hgih"],
            "--min-severity: unknown name 'hgih' at min_severity; expected one of low, medium, high, critical"
        ),
        (["--severity", "low,"], "--severity: unknown name '' at severities[1]"),
        (
            ["--watchdog", "price"],
            "--watchdog: unknown name 'price' at watchdogs[0]; expected one of earnings"
        ),
        (["--asset", "a b"], "--asset: assets[0] must be a symbol"),
        (["--where", "{"], "--where: where is not valid JSON"),
        (["--where", "{}", "--where", "{}"], "--where: where must be given once"),
        (["--filter", "["], "--filter is not valid JSON: the text ends too early at line 1, column 2"),
        (
            ["--filter", #"{"severity":"low"}"#],
            "--filter: unknown member 'severity'; expected one of min_sev"
        ),
        (["--filter", "{}", "--asset", "BTC"], "--filter is the whole filter; leave out the other flags"),
        (["--since", "yesterday"], "--since yesterday is not allowed: a position such as"),
        (["--since", "1-0", "--last", "5"], "--since and --last exclude each other"),
        (["--last", "1001"], "--last 1001 is not allowed: a whole number from 0 to 1000"),
        (["--count", "0"], "--count 0 is not allowed: a whole number from 1 to"),
        (["--timeout", "1s"], "--timeout 1s is not allowed: a whole number from 1 to"),
        (["--url", "x"], "--url x is not allowed: ws://host:port/path"),
        (["--insecure", "--ca-file", "x"], "--ca-file is without effect beside --insecure"),
        (["--json=yes"], "--json takes no value"),
        (["--last"], "--last needs a value behind it"),
        (["--last", "1", "--last", "2"], "--last may be given once"),
        (["BTC"], "tail takes no argument 'BTC'; allowed: --url, "),
        (["--minseverity", "low"], "unknown flag --minseverity of tail; allowed: --url, --min-severity, "),
        (["--evil\u{1B}[2J\n"], "unknown flag --evil\\u{1B}[2J\\n of tail"),
    ]

    @Test("A wrong flag is named in one line with what is allowed", arguments: wrongCases)
    func wrong(words: [String], beginning: String) {
        let error = #expect(throws: UsageError.self) { try TailOptions(words) }
        #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }
}
