namespace Cluster.Runtime;

/// <summary>
/// What the directory does in Redis, each as a whole. The keys are always members, directory, epoch: an entry counts only while its
/// silo is alive in the membership table, which the script reads in the same step, so no answer is older than the table.
/// The rules are those of <see cref="DirectoryDecisions"/>.
/// </summary>
internal static class RedisDirectoryScripts
{
    public const string Free = "free";
    public const string Taken = "taken";

    /// <summary>The caller knows another life of the table than the one that is.</summary>
    public const string Stale = "stale";

    /// <summary>The caller is dead, or not in the table.</summary>
    public const string Dead = "dead";

    /// <summary>Some silo has yet to put back what it holds.</summary>
    public const string Unsettled = "unsettled";

    /// <summary>ARGV: incarnation, caller, grain, its activation, the one to replace or empty, membership version.</summary>
    public const string Register = Functions + Guard +
        """
        local unsettled = redis.call('HGET', KEYS[1], 'unsettled')
        if unsettled and unsettled ~= '' then
          return {'unsettled'}
        end
        local current = redis.call('HGET', KEYS[2], ARGV[3])
        if current then
          local holder = activation(current)
          if holder == ARGV[4] or (holder ~= ARGV[5] and alive(owner(current))) then
            return {'taken', current}
          end
        end
        local counter = tonumber(redis.call('GET', KEYS[3]) or '0')
        local epoch = string.format('%.0f', math.max(counter + 1, tonumber(redis.call('HGET', KEYS[1], 'version')) * 1073741824))
        redis.call('SET', KEYS[3], epoch)
        local entry = ARGV[4] .. '|' .. epoch .. '|' .. ARGV[6]
        redis.call('HSET', KEYS[2], ARGV[3], entry)
        return {'free', entry}
        """;

    /// <summary>ARGV: grain.</summary>
    public const string Lookup = Functions +
        """
        local current = redis.call('HGET', KEYS[2], ARGV[1])
        if current and alive(owner(current)) then
          return {current}
        end
        return {}
        """;

    /// <summary>ARGV: grain, its activation, its epoch or 0.</summary>
    public const string Unregister = Functions +
        """
        local current = redis.call('HGET', KEYS[2], ARGV[1])
        if current and activation(current) == ARGV[2] and (ARGV[3] == '0' or epochOf(current) == tonumber(ARGV[3])) then
          return {redis.call('HDEL', KEYS[2], ARGV[1])}
        end
        return {0}
        """;

    /// <summary>ARGV: incarnation, caller, then grain and entry of each. Answers with those that others hold: grain and entry of each.</summary>
    public const string PutBack = Functions + Guard +
        """
        local answer = {'free'}
        local largest = tonumber(redis.call('GET', KEYS[3]) or '0')
        for i = 3, #ARGV, 2 do
          local current = redis.call('HGET', KEYS[2], ARGV[i])
          local held = ARGV[i + 1]
          if not current or not alive(owner(current)) or epochOf(current) < epochOf(held) then
            redis.call('HSET', KEYS[2], ARGV[i], held)
          elseif activation(current) ~= activation(held) then
            answer[#answer + 1] = ARGV[i]
            answer[#answer + 1] = current
          end
          largest = math.max(largest, epochOf(held))
        end
        redis.call('SET', KEYS[3], string.format('%.0f', largest))
        return answer
        """;

    /// <summary>ARGV: cursor, silos whose entries go although they are not dead. Answers with the next cursor and how many went.</summary>
    public const string Sweep = Functions +
        """
        local named = {}
        for i = 2, #ARGV do
          named[ARGV[i]] = true
        end
        local page = redis.call('HSCAN', KEYS[2], ARGV[1], 'COUNT', 500)
        local removed = 0
        for i = 1, #page[2], 2 do
          local silo = owner(page[2][i + 1])
          if named[silo] or not alive(silo) then
            removed = removed + redis.call('HDEL', KEYS[2], page[2][i])
          end
        end
        return {page[1], removed}
        """;

    private const string Functions =
        """
        local known = {}
        local function alive(silo)
          if known[silo] == nil then
            local row = redis.call('HGET', KEYS[1], 'silo/' .. silo)
            known[silo] = row and cjson.decode(row).status ~= 'Dead' or false
          end
          return known[silo]
        end
        local function owner(entry) return string.match(entry, '^([^|]*)') end
        local function activation(entry) return string.match(entry, '^([^|]*|[^|]*)') end
        local function epochOf(entry) return tonumber(string.match(entry, '^[^|]*|[^|]*|([^|]*)')) end

        """;

    private const string Guard =
        """
        if (redis.call('HGET', KEYS[1], 'incarnation') or '') ~= ARGV[1] then
          return {'stale'}
        end
        if not alive(ARGV[2]) then
          return {'dead'}
        end

        """;
}
