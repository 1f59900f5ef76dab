/// The scripts of `RedisTasks`. All times are the server's.
enum TaskScripts {
    /// The consumer group of all hosts of a type.
    static let group = "hosts"

    /// A stream for each type of worker.
    static func tasks(_ type: String) -> String { "fiml:tasks:\(type)" }

    /// A stream for each node that asks.
    static func results(_ node: String) -> String { "fiml:results:\(node)" }

    /// Key: tasks. Arguments: id, node that asks, payload, milliseconds until it is pointless, most tasks.
    /// → where it stands, or nothing where too many wait.
    static let submit = RedisScript(
        name: "submit",
        """
        if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[5]) then return false end
        local time = redis.call('TIME')
        local deadline = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + tonumber(ARGV[4])
        return redis.call('XADD', KEYS[1], '*', 'id', ARGV[1], 'node', ARGV[2], 'payload', ARGV[3],
          'deadline', string.format('%.0f', deadline))
        """)

    /// Keys: tasks, results. Arguments: entry, id, payload, 1 where that is an error, most results, their
    /// milliseconds to live. → 1, or 0 where somebody else has finished it.
    static let finish = RedisScript(
        name: "finish", answering,
        """
        if redis.call('XACK', KEYS[1], '\(group)', ARGV[1]) == 0 then return 0 end
        redis.call('XDEL', KEYS[1], ARGV[1])
        answer(KEYS[2], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
        return 1
        """)

    private static let answering = """
        local function answer(results, id, payload, failed, most, ttl)
          redis.call('XADD', results, 'MAXLEN', most, '*', 'id', id, 'payload', payload, 'failed', failed)
          redis.call('PEXPIRE', results, ttl)
        end

        """

    /// Key: tasks. Arguments: consumer, milliseconds that a host may be silent about a task, how often a task
    /// may be given out, most results, their milliseconds to live, what is answered for one given up, most
    /// tasks. → the tasks claimed, as XRANGE gives entries. Takes over what silent hosts have, and gives up
    /// what was given out too often.
    static let claim = RedisScript(
        name: "claim", answering,
        """
        local pending = redis.call('XPENDING', KEYS[1], '\(group)', 'IDLE', ARGV[2], '-', '+', ARGV[7])
        local claimed = {}
        for _, one in ipairs(pending) do
          local entries = redis.call('XCLAIM', KEYS[1], '\(group)', ARGV[1], ARGV[2], one[1])
          local entry = entries[1]
          if entry and one[4] >= tonumber(ARGV[3]) then
            local fields = {}
            for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
            redis.call('XACK', KEYS[1], '\(group)', one[1])
            redis.call('XDEL', KEYS[1], one[1])
            local results = 'fiml:results:' .. (fields['node'] or '')
            answer(results, fields['id'] or '', ARGV[6], '1', ARGV[4], ARGV[5])
          elseif entry then
            claimed[#claimed + 1] = entry
          end
        end
        return claimed
        """)

    /// Key: tasks. Arguments: consumer, entries. → those that are still the consumer's, whose silence ends.
    static let keep = RedisScript(
        name: "keep", allowsFullMemory: true,
        """
        local kept = {}
        for at = 2, #ARGV do
          local found = redis.call('XPENDING', KEYS[1], '\(group)', ARGV[at], ARGV[at], 1, ARGV[1])
          if #found == 1 then
            redis.call('XCLAIM', KEYS[1], '\(group)', ARGV[1], 0, ARGV[at], 'JUSTID')
            kept[#kept + 1] = ARGV[at]
          end
        end
        return kept
        """)
}
