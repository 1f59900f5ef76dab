/// The keys that the event stream of all gateways consists of, and the Lua that all its scripts begin with.
enum StreamKeys {
    /// The stream, which other programs of FIML's may add to.
    static let stream = "watchdog:events"
    /// A hash: `epoch`, `earliest`, `deleted`, `broken`.
    static let meta = "watchdog:meta"
    /// A hash: fingerprint → position, space, event, of each condition that fires.
    static let firing = "watchdog:firing"
    /// A hash: what is kept with events, by name.
    static let states = "watchdog:states"
    /// A set of the fingerprints that were resolved since the stream was broken, for ten minutes.
    static let resolved = "watchdog:resolved"

    /// In the order in which the scripts name them.
    static let all = [stream, meta, firing, states, resolved]

    /// Conditions that may be listed as firing at once.
    static let firingLimit = 10_000

    /// For how long after a loss conditions may be listed again.
    static let restoringMilliseconds = 600_000

    /// Decides, in one place for all gateways, whether the stream is still the one that they know.
    ///
    /// A stream has an epoch: its name is in `meta`, and in the stream itself as a consumer group
    /// `gateway:<epoch>`, which disappears with it whoever deletes it. `settle` is told what the caller knows
    /// (the epoch, empty at first, and the last position that it has seen), and begins a new epoch where the
    /// history is broken: either part is missing, or the stream ends before what was seen, or the entry seen
    /// last is not there. The new epoch's `earliest` lies after everything that was ever assigned, as far as
    /// the caller, the stream and the server's clock know. Each gateway learns of it by the epoch; one that
    /// has seen positions from behind it begins another.
    ///
    /// Everything after `earliest` is there. Our own trimming writes it, with how many entries were deleted
    /// so far (those added less those there). If others have deleted since, it is the position before the
    /// first entry, or that of the last one that was picked out (XDEL).
    static let settle = """
        local stream, meta = KEYS[1], KEYS[2]

        -- Ids compare by their parts, decimal numbers of up to 64 bits, as text: Lua's numbers are not exact.
        local function numberless(a, b)
          if #a ~= #b then return #a < #b end
          return a < b
        end

        local function less(a, b)
          local a1, a2 = string.match(a, '^(%d+)-(%d+)$')
          local b1, b2 = string.match(b, '^(%d+)-(%d+)$')
          if a1 ~= b1 then return numberless(a1, b1) end
          return a2 ~= b2 and numberless(a2, b2)
        end

        local function later(a, b)
          if less(a, b) then return b end
          return a
        end

        local function milliseconds(id)
          return tonumber(string.match(id, '^(%d+)-'))
        end

        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end

        -- The id before one; the same one where the numbers are too large to be exact.
        local function before(id)
          local ms, seq = string.match(id, '^(%d+)-(%d+)$')
          if tonumber(seq) >= 9007199254740992 or tonumber(ms) >= 9007199254740992 then return id end
          if seq ~= '0' then return ms .. '-' .. string.format('%.0f', tonumber(seq) - 1) end
          if ms == '0' then return '0-0' end
          return string.format('%.0f', tonumber(ms) - 1) .. '-18446744073709551615'
        end

        local function info()
          if redis.call('EXISTS', stream) == 0 then return nil end
          local reply = redis.call('XINFO', 'STREAM', stream)
          local found = {}
          for i = 1, #reply, 2 do found[reply[i]] = reply[i + 1] end
          return {
            last = found['last-generated-id'], length = found['length'],
            deleted = found['entries-added'] - found['length'],
            picked = found['max-deleted-entry-id'], first = found['first-entry'] and found['first-entry'][1]
          }
        end

        local function groups()
          local names = {}
          for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
            if string.sub(group[2], 1, 8) == 'gateway:' then names[#names + 1] = group[2] end
          end
          return names
        end

        local function note(epoch, state)
          redis.call('HSET', meta, 'epoch', epoch, 'earliest', state.earliest,
            'deleted', string.format('%.0f', state.deleted))
        end

        -- Has to be done before anything is written: it is also what finds keys of other kinds.
        local function settle(known, seen, fresh)
          local state = info()
          local epoch = redis.call('HGET', meta, 'epoch')
          local names = state and groups() or {}
          local intact = false
          if state and epoch then
            for _, name in ipairs(names) do intact = intact or name == 'gateway:' .. epoch end
          end
          if intact then
            state.epoch = epoch
            state.earliest = redis.call('HGET', meta, 'earliest') or '0-0'
            if redis.call('HGET', meta, 'deleted') ~= string.format('%.0f', state.deleted) then
              local edge = state.first and before(state.first) or state.last
              state.earliest = later(later(state.earliest, edge), state.picked)
                note(epoch, state)
            end
            local broken = less(state.last, seen)
            if known == epoch then
              broken = broken or less(state.earliest, seen)
                and #redis.call('XRANGE', stream, seen, seen) == 0
            elseif known ~= '' then
              broken = broken or not less(seen, state.earliest)
            end
            if not broken then return state end
          elseif state and not epoch and #names == 0 and known == '' then
            -- Others have begun it, and no gateway was here before.
            redis.call('XGROUP', 'CREATE', stream, 'gateway:' .. fresh, '$')
            state.epoch = fresh
            state.earliest = later(state.first and before(state.first) or state.last, state.picked)
            note(fresh, state)
            return state
          end
          for _, name in ipairs(names) do redis.call('XGROUP', 'DESTROY', stream, name) end
          redis.call('XGROUP', 'CREATE', stream, 'gateway:' .. fresh, '$', 'MKSTREAM')
          local edge = math.max(now(), milliseconds(seen), state and milliseconds(state.last) or 0) + 1
          local floor = string.format('%.0f', edge) .. '-0'
          redis.call('XSETID', stream, floor)
          state = info()
          state.epoch = fresh
          state.earliest = floor
          note(fresh, state)
          redis.call('HSET', meta, 'broken', string.format('%.0f', now()))
          redis.call('DEL', KEYS[5])
          return state
        end

        local function restoring()
          local broken = tonumber(redis.call('HGET', meta, 'broken') or '0')
          return now() - broken < \(restoringMilliseconds)
        end

        """
}
