/// The scripts of the event stream. Their keys are `StreamKeys.all`; their first arguments are what `settle`
/// is told: the epoch that is known, the last position seen, the name for a new epoch.
enum StreamScripts {
    /// → epoch, earliest, last, length.
    static let state = RedisScript(
        name: "state", allowsFullMemory: true, StreamKeys.settle,
        """
        local state = settle(ARGV[1], ARGV[2], ARGV[3])
        return {state.epoch, state.earliest, state.last, state.length}
        """)

    /// Further arguments: how many are to be left, the first moment that is to be left, in milliseconds, how
    /// many may be deleted now. → epoch, earliest, last, length.
    static let trim = RedisScript(
        name: "trim", allowsFullMemory: true, StreamKeys.settle, trimming,
        """
        local state = settle(ARGV[1], ARGV[2], ARGV[3])
        trim(state, tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]))
        return {state.epoch, state.earliest, state.last, state.length}
        """)

    private static let trimming = """
        local function trim(state, count, moment, limit)
          local excess = state.length - count
          if not state.first or (excess <= 0 and milliseconds(state.first) >= moment) then return end
          local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', limit + 1)
          local gone = 0
          while gone < #entries and gone < limit
            and (gone < excess or milliseconds(entries[gone + 1][1]) < moment) do gone = gone + 1 end
          if gone == 0 then return end
          if gone < #entries then
            redis.call('XTRIM', stream, 'MINID', entries[gone + 1][1])
          else
            redis.call('XTRIM', stream, 'MAXLEN', 0)
          end
          local earliest = later(state.earliest, entries[gone][1])
          for name, value in pairs(info()) do state[name] = value end
          state.earliest = earliest
          note(state.epoch, state)
        end

        """

    /// The sixth key is that of this process's appends. Further arguments: the number of
    /// the append, the most entries there may be, how many submissions; of each its lease or nothing, its
    /// token, how many events, of each type, severity, status, watchdog, assets, fingerprint, JSON; how many
    /// states, of each name and value.
    ///
    /// → of each submission its positions with spaces between, or `F` where its lease is not held; between
    /// submissions `|`. `!` where the caller's epoch is over, `?` where a later append was there first.
    static let append = RedisScript(
        name: "append", StreamKeys.settle, trimming, appending,
        """
        local state = settle(ARGV[1], ARGV[2], ARGV[3])
        if state.epoch ~= ARGV[1] then return '!' end
        local firing, states, resolved, own = KEYS[3], KEYS[4], KEYS[5], KEYS[6]
        -- Here and not in between: what is of another kind stops it before anything is written.
        redis.call('HLEN', firing)
        redis.call('HLEN', states)
        redis.call('SCARD', resolved)
        local done = tonumber(redis.call('HGET', own, 'number') or '-1')
        if done >= tonumber(ARGV[4]) then return '?' end
        local submissions = read(7)
        local remembers = restoring()
        for _, submission in ipairs(submissions) do
          if submission.held then
            for _, at in ipairs(submission.events) do
              submission.answer[#submission.answer + 1] = add(at, remembers)
            end
            for _, at in ipairs(submission.states) do redis.call('HSET', states, ARGV[at], ARGV[at + 1]) end
          end
        end
        if remembers and redis.call('EXISTS', resolved) == 1 then
          redis.call('PEXPIRE', resolved, \(StreamKeys.restoringMilliseconds))
        end
        local answers = {}
        for i, submission in ipairs(submissions) do
          answers[i] = submission.held and table.concat(submission.answer, ' ') or 'F'
        end
        local answer = table.concat(answers, '|')
        redis.call('HSET', own, 'number', ARGV[4], 'answer', answer)
        redis.call('PEXPIRE', own, 3600000)
        for name, value in pairs(info()) do state[name] = value end
        trim(state, tonumber(ARGV[5]), 0, 1000)
        return answer
        """)

    private static let appending = """
        local function read(at)
          local submissions = {}
          for i = 1, tonumber(ARGV[6]) do
            local lease = ARGV[at]
            local submission = {held = true, events = {}, states = {}, answer = {}}
            if lease ~= '' then
              submission.held = redis.call('HGET', 'fiml:lease:' .. lease, 'token') == ARGV[at + 1]
            end
            local count = tonumber(ARGV[at + 2])
            at = at + 3
            for j = 1, count do
              submission.events[j] = at
              at = at + 7
            end
            count = tonumber(ARGV[at])
            at = at + 1
            for j = 1, count do
              submission.states[j] = at
              at = at + 2
            end
            submissions[i] = submission
          end
          return submissions
        end

        local function add(at, remembers)
          local firing, fingerprint = KEYS[3], ARGV[at + 5]
          local id = redis.call('XADD', stream, '*', 'type', ARGV[at], 'severity', ARGV[at + 1],
            'status', ARGV[at + 2], 'watchdog', ARGV[at + 3], 'assets', ARGV[at + 4], 'event', ARGV[at + 6])
          if ARGV[at + 2] == 'resolved' then
            redis.call('HDEL', firing, fingerprint)
            if remembers then redis.call('SADD', KEYS[5], fingerprint) end
          elseif redis.call('HLEN', firing) < \(StreamKeys.firingLimit)
            or redis.call('HEXISTS', firing, fingerprint) == 1 then
            redis.call('HSET', firing, fingerprint, id .. ' ' .. ARGV[at + 6])
          end
          return id
        end

        """

    /// Makes sure that no append before a number is done any more, and tells what became of the last one. The
    /// only key is that of this process's appends. Arguments: the number of the append whose answer was lost,
    /// a later number. → its answer, or nothing where it was not done and will not be.
    static let overtake = RedisScript(
        name: "overtake", allowsFullMemory: true,
        """
        local answered = redis.call('HMGET', KEYS[1], 'number', 'answer')
        redis.call('HSET', KEYS[1], 'number', ARGV[2], 'answer', '')
        redis.call('PEXPIRE', KEYS[1], 3600000)
        return answered[1] == ARGV[1] and answered[2]
        """)

    /// Further arguments: a name and what is kept by it. Puts it back unless it is there; does nothing ten
    /// minutes after the stream was broken. → 1 where it was put back.
    static let restoreState = RedisScript(
        name: "restoreState", StreamKeys.settle,
        """
        settle(ARGV[1], ARGV[2], ARGV[3])
        return restoring() and redis.call('HSETNX', KEYS[4], ARGV[4], ARGV[5]) or 0
        """)

    /// Further arguments: fingerprint, position, JSON, and so on. Lists conditions as firing that are not
    /// listed, or with an older event, unless they were resolved since the stream was broken. Does nothing
    /// ten minutes after that. → how many were listed.
    static let restoreFiring = RedisScript(
        name: "restoreFiring", StreamKeys.settle,
        """
        settle(ARGV[1], ARGV[2], ARGV[3])
        if not restoring() then return 0 end
        local listed = 0
        for at = 4, #ARGV, 3 do
          local there = redis.call('HGET', KEYS[3], ARGV[at])
          local position = there and string.match(there, '^(%d+-%d+) ')
          if redis.call('SISMEMBER', KEYS[5], ARGV[at]) == 0
            and (position and less(position, ARGV[at + 1])
              or not there and redis.call('HLEN', KEYS[3]) < \(StreamKeys.firingLimit)) then
            redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1] .. ' ' .. ARGV[at + 2])
            listed = listed + 1
          end
        end
        return listed
        """)
}
