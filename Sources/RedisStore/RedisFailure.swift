import EventStore

/// Why a Redis server did not do what it was asked to.
enum RedisFailure: Error, Hashable {
    /// Nothing was sent.
    case unreachable(String)
    /// What was sent may have been done; the answer did not come.
    case lost(String)
    /// The server's error line.
    case refused(String)
    /// The server answered, but not what such a server answers.
    case unexpected(String)

    /// What an error line begins with: `OOM`.
    var code: String? {
        guard case .refused(let line) = self else { return nil }
        return line.split(separator: " ", maxSplits: 1).first.map(String.init)
    }

    /// In one line: which server, why, and what to do.
    func storeError(_ address: RedisAddress) -> StoreError {
        switch self {
        case .unreachable(let cause):
            .unavailable(
                "\(address.name) cannot be reached: \(cause); does it run at REDIS_HOST and REDIS_PORT?"
            )
        case .lost(let cause):
            .unavailable("\(address.name) did not answer: \(cause); is it overloaded, stopped or cut off?")
        case .refused(let line): Self.refusal(line, address)
        case .unexpected(let cause):
            .unusable("\(address.name): \(cause); is it a Redis server of version 7.0 or newer?")
        }
    }

    private static func refusal(_ line: String, _ address: RedisAddress) -> StoreError {
        let quoted = oneLine(line)
        func unavailable(_ what: String) -> StoreError {
            .unavailable("\(address.name) \(what) (\(quoted))")
        }
        switch RedisFailure.refused(line).code ?? "" {
        case "NOAUTH": return unavailable("wants a password: set REDIS_PASSWORD")
        case "WRONGPASS": return unavailable("does not take this password: correct REDIS_PASSWORD")
        case "NOPERM": return unavailable("does not let this user do it: widen its ACL")
        case "OOM": return unavailable("is full: raise its maxmemory or keep fewer events")
        case "READONLY":
            return unavailable("is a replica, which takes no writes: let REDIS_HOST name the primary")
        case "MISCONF":
            return unavailable("cannot save its data and takes no writes: look at its disk and log")
        case "LOADING": return unavailable("is loading its data: wait until it is done")
        case "BUSY": return unavailable("is busy with somebody's script: wait, or SCRIPT KILL")
        case "MASTERDOWN", "NOREPLICAS":
            return unavailable("has lost its primary or its replicas: look at its log")
        case "MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN":
            return .unusable(
                "\(address.name) is part of a Redis Cluster, which is not supported: name a single primary "
                    + "(\(quoted))"
            )
        case "WRONGTYPE":
            return .unusable(
                "\(address.name) has another kind of value at a key of ours (watchdog:…, fiml:…): rename "
                    + "that key, or set REDIS_DB to a database of our own (\(quoted))")
        default: break
        }
        if line.contains("AUTH") { return unavailable("does not take this password: correct REDIS_PASSWORD") }
        if line.contains("DB index") {
            return unavailable("has no database \(address.database): correct REDIS_DB")
        }
        if line.contains("compiling script") || line.contains("unknown command") {
            return .unusable("\(address.name) is too old: version 7.0 or newer is needed (\(quoted))")
        }
        if line.contains("exhausted the last possible ID") {
            return .unusable(
                "\(address.name): somebody has added the last possible id to a stream of ours: delete that "
                    + "entry and set the stream's id back with XSETID (\(quoted))")
        }
        return unavailable("refused a command")
    }

    /// A line of the server's as we repeat it: printable, and of a bounded length.
    private static func oneLine(_ line: String) -> String {
        String(String.UnicodeScalarView(line.unicodeScalars.prefix(160).filter { $0.value >= 0x20 }))
    }
}
