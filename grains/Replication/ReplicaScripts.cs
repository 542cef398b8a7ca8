namespace Cluster.Grains.Replication;

/// <summary>
/// What Redis runs. A map is five keys. Its header has the store's life, the run of Redis that it began in, the count of changes and the last change that was purged.
/// The others have by entry its sequence, its content, the number of its last change, and when its removal may be forgotten.
/// </summary>
internal static class ReplicaScripts
{
    /// <summary>
    /// ARGV 1 names the life that begins if this Redis was started, or emptied, since the last one did. What it has may then be less than it had, and every process
    /// has to compare. ARGV 2 is the channel, ARGV 3 the time in ms that a removal is remembered.
    /// </summary>
    private const string Begin =
        """
        local header, sequences, contents, changes, removals = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
        local life = redis.call('HGET', header, 'life')
        if not life or redis.call('HGET', header, 'run') ~= run then
          life = ARGV[1]
          redis.call('HSET', header, 'life', life, 'run', run)
        end
        local time = redis.call('TIME')
        local function milliseconds()
          return time[1] * 1000 + math.floor(time[2] / 1000)
        end
        local function set(key, sequence, live, content)
          redis.call('HSET', sequences, key, sequence)
          if live == '1' then
            redis.call('HSET', contents, key, content)
            redis.call('ZREM', removals, key)
          else
            redis.call('HDEL', contents, key)
            redis.call('ZADD', removals, milliseconds() + ARGV[3], key)
          end
          local change = redis.call('HINCRBY', header, 'changes', 1)
          redis.call('ZADD', changes, change, key)
          redis.call('PUBLISH', ARGV[2], table.concat({life, change, sequence, live, #key, key .. content}, ' '))
        end

        """;

    /// <summary>
    /// ARGV from 4: key, sequence, 1 or 0 for a removal, and content of each. Answer: life, then for each 1, or 0 with what is stored: sequence,
    /// 1 or 0, content.
    /// </summary>
    public const string Publish = Begin +
        """
        local answer = {life}
        for i = 4, #ARGV, 4 do
          local key, sequence, live, content = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
          local stored = redis.call('HGET', sequences, key)
          if not stored or tonumber(sequence) > tonumber(stored) then
            set(key, sequence, live, content)
            table.insert(answer, '1')
          else
            local before = redis.call('HGET', contents, key)
            if tonumber(sequence) == tonumber(stored) and (before or '') == content and (before and '1' or '0') == live then
              table.insert(answer, '1')
            else
              table.insert(answer, '0')
              table.insert(answer, stored)
              table.insert(answer, before and '1' or '0')
              table.insert(answer, before or '')
            end
          end
        end
        return answer
        """;

    /// <summary>
    /// ARGV from 4: key, expected sequence and life, 1 or 0, content. A sequence beyond the stored one, or of an earlier life where nothing is
    /// stored, was lost here, and its holder may write it back. Answer: life, 1 or 0, then the stored sequence, 1 or 0, content if refused.
    /// </summary>
    public const string Write = Begin +
        """
        local key, expected = ARGV[4], tonumber(ARGV[5])
        local stored = redis.call('HGET', sequences, key)
        local sequence = tonumber(stored or 0)
        local content = redis.call('HGET', contents, key)
        local matches
        if expected > sequence then
          matches = stored or ARGV[6] ~= life
        elseif expected == 0 then
          matches = not content
        else
          matches = content and expected == sequence
        end
        if not matches then
          return {life, '0', stored or '0', content and '1' or '0', content or ''}
        end
        local next = string.format('%.0f', math.max(sequence + 1, expected + 1, time[1] * 1000000 + time[2]))
        set(key, next, ARGV[7], ARGV[8])
        return {life, '1', next}
        """;

    /// <summary>ARGV 4: key. Answer: life, then sequence, 1 or 0, and content if anything is stored.</summary>
    public const string Read = Begin +
        """
        local stored = redis.call('HGET', sequences, ARGV[4])
        if not stored then
          return {life}
        end
        local content = redis.call('HGET', contents, ARGV[4])
        return {life, stored, content and '1' or '0', content or ''}
        """;

    /// <summary>
    /// ARGV 4: the change after which to read. Forgets old removals first. Answer: life, last purged change, change that the page reaches,
    /// 1 if there is no later one. Then key, sequence, 1 or 0, and content of each.
    /// </summary>
    public const string Page = Begin +
        """
        local purged = tonumber(redis.call('HGET', header, 'purged') or 0)
        local old = redis.call('ZRANGEBYSCORE', removals, '-inf', milliseconds(), 'LIMIT', 0, 500)
        for _, key in ipairs(old) do
          purged = math.max(purged, tonumber(redis.call('ZSCORE', changes, key) or 0))
          redis.call('ZREM', changes, key)
          redis.call('HDEL', sequences, key)
          redis.call('ZREM', removals, key)
        end
        if #old > 0 then
          redis.call('HSET', header, 'purged', string.format('%.0f', purged))
        end
        local answer = {life, string.format('%.0f', purged), redis.call('HGET', header, 'changes') or '0', '1'}
        local found = redis.call('ZRANGEBYSCORE', changes, '(' .. ARGV[4], '+inf', 'WITHSCORES', 'LIMIT', 0, 1000)
        local bytes, i = 0, 1
        while i < #found and bytes < 1048576 do
          local content = redis.call('HGET', contents, found[i])
          table.insert(answer, found[i])
          table.insert(answer, redis.call('HGET', sequences, found[i]))
          table.insert(answer, content and '1' or '0')
          table.insert(answer, content or '')
          bytes = bytes + (content and #content or 0)
          i = i + 2
        end
        if i < #found or #found == 2000 then
          answer[3] = found[i - 1]
          answer[4] = '0'
        end
        return answer
        """;
}
