using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Versions;

namespace Cluster.Unit.Hosting;

/// <summary>For tests that name content by hand: files of any content may be loaded.</summary>
internal sealed class AnyContent : IContentCheck
{
    public string? ProblemOf(ModelVersionSource source, VersionListing listing, IReadOnlyDictionary<string, byte[]> read) => null;
}
