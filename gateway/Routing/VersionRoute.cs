using System.Globalization;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>One version of a model, with references to the copies that take its requests.</summary>
internal sealed class VersionRoute(VersionServingState state, CopyRoute[] copies)
{
    public long Version => state.Version;

    /// <summary>The version as text.</summary>
    public string Text { get; } = state.Version.ToString(CultureInfo.InvariantCulture);

    public VersionServingState State => state;

    /// <summary>Empty for a version that is not served.</summary>
    public CopyRoute[] Copies => copies;
}
