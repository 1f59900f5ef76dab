/// A script that the server runs as one command, alone.
struct RedisScript: Sendable {
    /// Unique in this module.
    let name: String
    /// Lua, beginning with its line of flags (Redis 7.0).
    let source: String

    /// A script; `allowsFullMemory` is for those that free memory or must not fail for the want of it.
    init(name: String, allowsFullMemory: Bool = false, _ parts: String...) {
        self.name = name
        source = (["#!lua\(allowsFullMemory ? " flags=allow-oom" : "")"] + parts).joined(separator: "\n")
    }

    /// `EVALSHA` or `EVAL` of it.
    func command(
        _ word: String, _ body: String, keys: [String], _ arguments: RedisCommand.Arguments
    ) -> RedisCommand {
        var command = RedisCommand(word, body, String(keys.count))
        for key in keys { command.append(key) }
        command.append(arguments)
        return command
    }
}
