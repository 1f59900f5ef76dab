import Configuration
import Gateway
import Glibc
exit(Gateway.run(try Settings.load(environment: ProcessEnvironment()), replayFiles: []))
func ProcessEnvironment() -> [String: String] {
    var out: [String: String] = [:]
    var p = environ
    while let e = p.pointee { let s = String(cString: e); if let i = s.firstIndex(of: "=") { out[String(s[..<i])] = String(s[s.index(after: i)...]) }; p += 1 }
    return out
}
