using System.Globalization;
using System.Text;

namespace Cluster.Contracts.Registry;

/// <summary>
/// Which <see cref="IRegistryGrain"/> knows a model. The registry is split so that a change writes a few models, not all of them. The split is
/// part of the stored form: another one finds no stored entry.
/// </summary>
public static class RegistryShards
{
    private const int Count = 64;

    /// <summary>The keys of all shards.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Enumerable.Range(0, Count).Select(Key)];

    /// <summary>The key of the shard that knows <paramref name="model"/>: the same in every process.</summary>
    public static string Of(string model)
    {
        // FNV-1a.
        var hash = 2166136261u;
        foreach (var octet in Encoding.UTF8.GetBytes(model))
        {
            hash = (hash ^ octet) * 16777619u;
        }

        return All[(int)(hash % Count)];
    }

    private static string Key(int shard) => shard.ToString(CultureInfo.InvariantCulture);
}
