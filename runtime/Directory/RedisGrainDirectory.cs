using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// The directory in Redis. A registration waits, for a short while, until every silo has put back what it held when Redis lost its
/// data. While Redis is away lookups and registrations fail with <see cref="SiloUnavailableException"/>, and entries of activations
/// that end stay behind: they lead to this silo, which activates the grain anew or is dead.
/// </summary>
internal sealed class RedisGrainDirectory(
    RedisConnection redis, RedisKeys keys, ClusterMembershipService membership, TimeProvider time, ILogger<RedisGrainDirectory> logger) : IGrainDirectory
{
    private const int PutBackPage = 200;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly RedisKey[] _keys = [keys.Members, keys.Directory, keys.Epoch];

    public Task<GrainAddress?> Register(GrainAddress address) => Register(address, null);

    public async Task<GrainAddress?> Register(GrainAddress address, GrainAddress? previousAddress)
    {
        var begin = time.GetTimestamp();
        while (true)
        {
            var incarnation = membership.View.Incarnation;
            var reply = await TryRegisterAsync(incarnation, address, previousAddress).ConfigureAwait(false);
            if (!reply.IsDone)
            {
                throw reply.ToException($"the registration of {address.GrainId}");
            }

            var answer = (string)reply.Values[0]!;
            if ((answer is RedisDirectoryScripts.Free or RedisDirectoryScripts.Taken) && membership.View.Incarnation == incarnation)
            {
                return DirectoryEntryText.Read(address.GrainId, reply.Values[1]!);
            }

            // Also an answer from a life of the table that is over: this silo may have put back what it held without this entry.
            await membership.Refresh().ConfigureAwait(false);
            if (membership.Terminated.IsCompleted || time.GetElapsedTime(begin) > Patience)
            {
                throw new SiloUnavailableException($"{address.GrainId} cannot be registered by {address.SiloAddress}: the membership is '{answer}'");
            }

            await Task.Delay(Pause, time).ConfigureAwait(false);
        }
    }

    public async Task Unregister(GrainAddress address)
    {
        var reply = await redis.EvaluateAsync(
            RedisDirectoryScripts.Unregister,
            _keys,
            [address.GrainId.ToString(), DirectoryEntryText.WriteActivation(address), address.LoadEpoch]).ConfigureAwait(false);
        if (!reply.IsDone)
        {
            Log.UnregisterFailed(logger, address.GrainId, reply.Error);
        }
    }

    public async Task<GrainAddress?> Lookup(GrainId grainId)
    {
        var reply = await redis.EvaluateAsync(RedisDirectoryScripts.Lookup, _keys, [grainId.ToString()]).ConfigureAwait(false);
        if (!reply.IsDone)
        {
            throw reply.ToException($"the lookup of {grainId}");
        }

        return reply.Values is [{ IsNull: false } entry] ? DirectoryEntryText.Read(grainId, entry!) : null;
    }

    /// <summary>Removes the entries of those silos, and of all that are dead.</summary>
    public async Task UnregisterSilos(List<SiloAddress> siloAddresses)
    {
        RedisValue cursor = "0";
        long removed = 0;
        do
        {
            var reply = await redis.EvaluateAsync(
                RedisDirectoryScripts.Sweep,
                _keys,
                [cursor, .. siloAddresses.Select(static silo => (RedisValue)silo.ToParsableString())]).ConfigureAwait(false);
            if (!reply.IsDone)
            {
                throw reply.ToException("the removal of dead silos from the directory");
            }

            cursor = reply.Values[0];
            removed += (long)reply.Values[1];
        }
        while (cursor != "0");

        if (removed > 0)
        {
            Log.DirectorySwept(logger, removed);
        }
    }

    /// <summary>
    /// Puts back what this silo holds. Returns the entries of others that it must give way to; null if that is not possible now.
    /// </summary>
    public async Task<IReadOnlyCollection<GrainAddress>?> PutBackAsync(IReadOnlyCollection<GrainAddress> held, CancellationToken cancellationToken)
    {
        var winners = new List<GrainAddress>();
        foreach (var page in held.Chunk(PutBackPage))
        {
            List<RedisValue> values = [membership.View.Incarnation, membership.Self.ToParsableString()];
            foreach (var address in page)
            {
                values.Add(address.GrainId.ToString());
                values.Add(DirectoryEntryText.Write(address));
            }

            var reply = await redis.EvaluateAsync(RedisDirectoryScripts.PutBack, _keys, [.. values], cancellationToken).ConfigureAwait(false);
            if (!reply.IsDone || reply.Values[0] != RedisDirectoryScripts.Free)
            {
                return null;
            }

            for (var i = 1; i + 1 < reply.Values.Length; i += 2)
            {
                winners.Add(DirectoryEntryText.Read(GrainId.Parse(reply.Values[i]!), reply.Values[i + 1]!));
            }
        }

        return winners;
    }

    private ValueTask<RedisReply> TryRegisterAsync(string incarnation, GrainAddress address, GrainAddress? previous) => redis.EvaluateAsync(
        RedisDirectoryScripts.Register,
        _keys,
        [
            incarnation,
            membership.Self.ToParsableString(),
            address.GrainId.ToString(),
            DirectoryEntryText.WriteActivation(address),
            previous is null ? "" : DirectoryEntryText.WriteActivation(previous),
            address.MembershipVersion.Value,
        ]);
}
