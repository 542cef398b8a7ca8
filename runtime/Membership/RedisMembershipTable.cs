using System.Collections.Immutable;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// The table in Redis: one hash. Its clock is Redis' own, so that silos need not agree on the time.
/// </summary>
internal sealed class RedisMembershipTable(RedisConnection redis, RedisKeys keys) : IMembershipTable
{
    private const string SiloField = "silo/";
    private const string AliveField = "alive/";

    private const string ReadScript =
        """
        local now = redis.call('TIME')
        local answer = redis.call('HGETALL', KEYS[1])
        table.insert(answer, 1, tostring(now[1] * 1000 + math.floor(now[2] / 1000)))
        return answer
        """;

    // ARGV: expected version and incarnation, next version, incarnation and unsettled, channel, count of rows, field and value of each,
    // silos to remove.
    private const string WriteScript =
        """
        local version = redis.call('HGET', KEYS[1], 'version') or '0'
        local incarnation = redis.call('HGET', KEYS[1], 'incarnation') or ''
        if version ~= ARGV[1] or incarnation ~= ARGV[2] then
          return {0}
        end
        local now = redis.call('TIME')
        local alive = tostring(now[1] * 1000 + math.floor(now[2] / 1000))
        redis.call('HSET', KEYS[1], 'version', ARGV[3], 'incarnation', ARGV[4], 'unsettled', ARGV[5])
        local last = 7 + 2 * tonumber(ARGV[7])
        for i = 8, last, 2 do
          redis.call('HSET', KEYS[1], 'silo/' .. ARGV[i], ARGV[i + 1])
          redis.call('HSETNX', KEYS[1], 'alive/' .. ARGV[i], alive)
        end
        for i = last + 1, #ARGV do
          redis.call('HDEL', KEYS[1], 'silo/' .. ARGV[i], 'alive/' .. ARGV[i])
        end
        redis.call('PUBLISH', ARGV[6], ARGV[3])
        return {1}
        """;

    private const string BeatScript =
        """
        local row = redis.call('HGET', KEYS[1], 'silo/' .. ARGV[1])
        local status = row and cjson.decode(row).status or 'Dead'
        if status ~= 'Dead' then
          local now = redis.call('TIME')
          redis.call('HSET', KEYS[1], 'alive/' .. ARGV[1], tostring(now[1] * 1000 + math.floor(now[2] / 1000)))
        end
        return {redis.call('HGET', KEYS[1], 'version') or '0', redis.call('HGET', KEYS[1], 'incarnation') or '', status}
        """;

    private readonly RedisKey[] _members = [keys.Members];

    public async ValueTask<TableReading?> ReadAsync(CancellationToken cancellationToken)
    {
        var reply = await redis.EvaluateAsync(ReadScript, _members, [], cancellationToken).ConfigureAwait(false);
        return reply.IsDone ? Parse(reply.Values) : null;
    }

    public async ValueTask<TableWrite> TryWriteAsync(MembershipView expected, MembershipView next, CancellationToken cancellationToken)
    {
        var changed = next.Entries.Values.Where(entry => !entry.Equals(expected.Find(entry.Silo))).ToArray();
        List<RedisValue> values =
        [
            expected.Version, expected.Incarnation, next.Version, next.Incarnation, Join(next.Unsettled), keys.MembersChannel, changed.Length,
        ];
        foreach (var entry in changed)
        {
            values.Add(entry.Silo.ToParsableString());
            values.Add(MembershipRow.Write(entry));
        }

        values.AddRange(expected.Entries.Keys.Where(silo => next.Find(silo) is null).Select(static silo => (RedisValue)silo.ToParsableString()));
        var reply = await redis.EvaluateAsync(WriteScript, _members, [.. values], cancellationToken).ConfigureAwait(false);
        return !reply.IsDone ? TableWrite.Unavailable : reply.Values[0] == 1 ? TableWrite.Written : TableWrite.Conflict;
    }

    public async ValueTask<TableBeat?> BeatAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        var reply = await redis.EvaluateAsync(BeatScript, _members, [silo.ToParsableString()], cancellationToken).ConfigureAwait(false);
        return reply.IsDone
            ? new TableBeat((long)reply.Values[0], reply.Values[1]!, Enum.Parse<SiloStatus>((string)reply.Values[2]!))
            : null;
    }

    public ValueTask<bool> TryWatchAsync(Action changed, CancellationToken cancellationToken) =>
        redis.TrySubscribeAsync(keys.MembersChannel, changed, cancellationToken);

    private static string Join(IEnumerable<SiloAddress> silos) => string.Join(',', silos.Select(static silo => silo.ToParsableString()));

    private static TableReading Parse(RedisValue[] values)
    {
        var view = MembershipView.None;
        var rows = ImmutableSortedDictionary.CreateBuilder<SiloAddress, MembershipEntry>();
        var alive = ImmutableDictionary.CreateBuilder<SiloAddress, DateTimeOffset>();
        for (var i = 1; i + 1 < values.Length; i += 2)
        {
            var field = (string)values[i]!;
            if (field.StartsWith(SiloField, StringComparison.Ordinal))
            {
                var silo = SiloAddress.FromParsableString(field[SiloField.Length..]);
                rows[silo] = MembershipRow.Read(silo, values[i + 1]!);
            }
            else if (field.StartsWith(AliveField, StringComparison.Ordinal))
            {
                alive[SiloAddress.FromParsableString(field[AliveField.Length..])] = DateTimeOffset.FromUnixTimeMilliseconds((long)values[i + 1]);
            }
            else
            {
                view = ReadHeader(view, field, values[i + 1]);
            }
        }

        return new TableReading(view with { Entries = rows.ToImmutable() }, alive.ToImmutable(), DateTimeOffset.FromUnixTimeMilliseconds((long)values[0]));
    }

    private static MembershipView ReadHeader(MembershipView view, string field, RedisValue value) => field switch
    {
        "version" => view with { Version = (long)value },
        "incarnation" => view with { Incarnation = value! },
        "unsettled" => view with
        {
            Unsettled = [.. ((string)value!).Split(',', StringSplitOptions.RemoveEmptyEntries).Select(SiloAddress.FromParsableString)],
        },
        _ => view,
    };
}
