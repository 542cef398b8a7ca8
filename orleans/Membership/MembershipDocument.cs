using System.Collections.Immutable;
using System.Text.Json;

namespace Cluster.Runtime;

/// <summary>The membership as silos publish it for processes that are no silos.</summary>
/// <param name="Version">Larger for a later membership.</param>
internal sealed record MembershipDocument(long Version, ImmutableArray<MembershipDocument.Member> Members)
{
    /// <summary>The map that silos write and clients read.</summary>
    public const string MapName = "members";

    /// <summary>Its only key.</summary>
    public const string Key = "membership";

    public static MembershipDocument Of(ClusterMembershipSnapshot snapshot) => new(
        snapshot.Version.Value,
        [.. snapshot.Members.Values.Select(static member => new Member(member.SiloAddress.ToParsableString(), member.Status, member.Name))]);

    /// <summary>What the map has now; null if there is nothing, or nothing that this version of the software can read.</summary>
    public static MembershipDocument? Read(IReplicatedMap map) => map.TryGet(Key, out var entry) ? entry.Decode(Read) : null;

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this);

    public ClusterMembershipSnapshot ToSnapshot() => new(
        Members.Select(static member => new ClusterMember(SiloAddress.FromParsableString(member.Silo), member.Status, member.Name))
            .ToImmutableDictionary(static member => member.SiloAddress),
        new MembershipVersion(Version));

    private static MembershipDocument? Read(ReplicatedEntry entry)
    {
        try
        {
            return JsonSerializer.Deserialize<MembershipDocument>(entry.Content.Span);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>One silo.</summary>
    /// <param name="Silo">In the parsable form of its address.</param>
    internal sealed record Member(string Silo, SiloStatus Status, string Name);
}
