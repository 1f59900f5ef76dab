/// The scripts of `RedisCluster`. All times are the server's.
enum ClusterScripts {
    /// A hash: node → JSON of its process, its record, what it wants, and when it beat last, until when it
    /// counts.
    static let members = "fiml:members"
    /// The last token given.
    static let token = "fiml:token"
    /// One hash for each lease, which expires: `holder`, `process`, `token`.
    static let leasePrefix = "fiml:lease:"
    /// What nodes tell each other.
    static let notices = "fiml:notices"

    /// A hash: what is kept for all nodes, by name. Each beat renews it.
    static let controls = "fiml:controls"
    static let controlsMilliseconds = 600_000

    /// Members that there may be.
    static let memberLimit = 256

    /// The longest time to live of a node; what claims more is of a server's clock that was set back.
    static let longestLeaseMilliseconds = 300_000

    private static let now = """
        local time = redis.call('TIME')
        local microseconds = tonumber(time[1]) * 1000000 + tonumber(time[2])
        local now = math.floor(microseconds / 1000)

        """

    /// Keys: members, token. Arguments: node, process, record, milliseconds to live, the greatest token that
    /// this process has had, and of each lease its name and 1 where it is wanted.
    ///
    /// → time, members (node, record, age and so on), leases (holder or nothing, token, 1 where it is the
    /// caller's, milliseconds until it ends; and so on). → the milliseconds that another process of this
    /// node's name has left. → nothing where there are too many members.
    ///
    /// A lease that is free is taken unless another node that wants it has fewer; one is given back where
    /// another node that wants it has at least two fewer. So they spread evenly, one a beat, and stay where
    /// they are once they have.
    static let beat = RedisScript(
        name: "beat", allowsFullMemory: true, now, sharing,
        """
        local node, process, record, ttl = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
        local members, count = living()
        local own = members[node]
        if own and own.process ~= process then return own.ends - now end
        if not own and count >= \(memberLimit) then return false end
        local wants, names = {}, {}
        for at = 6, #ARGV, 2 do
          names[#names + 1] = ARGV[at]
          if ARGV[at + 1] == '1' then wants[ARGV[at]] = true end
        end
        local member = {process = process, record = record, wants = wants, at = now, ends = now + ttl}
        redis.call('HSET', KEYS[1], node, cjson.encode(member))
        redis.call('PEXPIRE', '\(controls)', \(controlsMilliseconds))
        member.held = 0
        members[node] = member
        local leases = held(members, names)
        share(leases, members, node, process, wants, names, ttl)
        local list, answer = {}, {}
        for name, member in pairs(members) do
          list[#list + 1] = name
          list[#list + 1] = member.record
          list[#list + 1] = now - member.at
        end
        for _, name in ipairs(names) do
          local lease = leases[name]
          answer[#answer + 1] = lease.holder or ''
          answer[#answer + 1] = lease.token or '0'
          answer[#answer + 1] = (lease.holder == node and lease.process == process) and 1 or 0
          answer[#answer + 1] = lease.ends or 0
        end
        return {now, list, answer}
        """)

    private static let sharing = """
        -- Whether a member has beaten in time. One from the future did so before the clock was set back: it
        -- comes again with its next beat, or is dead.
        local function lives(member)
          local at, ends = tonumber(member.at), tonumber(member.ends)
          return at and ends and ends > now and ends - now <= \(longestLeaseMilliseconds) and at <= now + 1000
        end

        -- The members that live, and how many; forgets the others.
        local function living()
          local members, count = {}, 0
          local all = redis.call('HGETALL', KEYS[1])
          for i = 1, #all, 2 do
            local isRead, member = pcall(cjson.decode, all[i + 1])
            if isRead and type(member) == 'table' and type(member.record) == 'string'
              and lives(member) then
              member.held = 0
              members[all[i]] = member
              count = count + 1
            else
              redis.call('HDEL', KEYS[1], all[i])
            end
          end
          return members, count
        end

        -- The leases that are held, and how many each member has.
        local function held(members, names)
          local leases = {}
          for _, name in ipairs(names) do
            local found = redis.call('HMGET', '\(leasePrefix)' .. name, 'holder', 'process', 'token')
            local lease = {holder = found[1], process = found[2], token = found[3]}
            if lease.holder then
              lease.ends = redis.call('PTTL', '\(leasePrefix)' .. name)
              -- As above: its end moved away with the clock.
              if lease.ends < 0 or lease.ends > \(longestLeaseMilliseconds) then
                redis.call('PEXPIRE', '\(leasePrefix)' .. name, \(longestLeaseMilliseconds))
              end
            end
            if lease.holder and members[lease.holder] then
              members[lease.holder].held = members[lease.holder].held + 1
            end
            leases[name] = lease
          end
          return leases
        end

        -- How many fewer leases than this node somebody else has who wants this one.
        local function fewer(members, node, name)
          local most = -1000000
          for other, member in pairs(members) do
            if other ~= node and type(member.wants) == 'table' and member.wants[name] then
              most = math.max(most, members[node].held - member.held)
            end
          end
          return most
        end

        local function give(leases, name)
          redis.call('DEL', '\(leasePrefix)' .. name)
          leases[name] = {}
        end

        local function share(leases, members, node, process, wants, names, ttl)
          local own, hasGiven = members[node], false
          for _, name in ipairs(names) do
            local lease, key = leases[name], '\(leasePrefix)' .. name
            if lease.holder == node and lease.process == process then
              if not wants[name] then
                give(leases, name)
                own.held = own.held - 1
              elseif not hasGiven and fewer(members, node, name) >= 2 then
                give(leases, name)
                own.held = own.held - 1
                hasGiven = true
              else
                redis.call('PEXPIRE', key, ttl)
                lease.ends = ttl
              end
            end
          end
          for _, name in ipairs(names) do
            local key = '\(leasePrefix)' .. name
            if not leases[name].holder and wants[name] and fewer(members, node, name) <= 0 then
              local token = math.max(microseconds, tonumber(redis.call('GET', KEYS[2]) or '0') + 1,
                tonumber(ARGV[5]) + 1)
              token = string.format('%.0f', token)
              redis.call('SET', KEYS[2], token)
              redis.call('HSET', key, 'holder', node, 'process', process, 'token', token)
              redis.call('PEXPIRE', key, ttl)
              leases[name] = {holder = node, process = process, token = token, ends = ttl}
              own.held = own.held + 1
            end
          end
        end

        """

    /// Keys: members. Arguments: node, process, 1 where it leaves, leases. Gives back what is the caller's.
    static let release = RedisScript(
        name: "release", allowsFullMemory: true,
        """
        for at = 4, #ARGV do
          local key = '\(leasePrefix)' .. ARGV[at]
          local found = redis.call('HMGET', key, 'holder', 'process')
          if found[1] == ARGV[1] and found[2] == ARGV[2] then redis.call('DEL', key) end
        end
        local member = redis.call('HGET', KEYS[1], ARGV[1])
        if ARGV[3] == '1' and member and cjson.decode(member).process == ARGV[2] then
          redis.call('HDEL', KEYS[1], ARGV[1])
        end
        return 1
        """)
}
