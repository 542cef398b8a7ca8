using Cluster.Gateway.Serving;

namespace Cluster.Gateway.Metrics;

/// <summary>The series of one model and of its known versions. Reading is lock-free; adding and removing are one caller's at a time.</summary>
internal sealed class ModelSeries(RequestMetricFamilies families, string model) : IDisposable
{
    private readonly OutcomeSeries _grpcReady = new(families, Protocol.Grpc, ServingMethod.ModelReady, model, "");
    private readonly OutcomeSeries _restReady = new(families, Protocol.Rest, ServingMethod.ModelReady, model, "");

    /// <summary>Ascending; replaced as a whole.</summary>
    private volatile VersionSeries[] _versions = [];

    public bool IsEmpty => _versions.Length == 0;

    public OutcomeSeries Ready(Protocol protocol) => protocol == Protocol.Grpc ? _grpcReady : _restReady;

    /// <param name="version">0 for the highest known.</param>
    public VersionSeries? Find(long version)
    {
        var versions = _versions;
        if (version == 0)
        {
            return versions.Length > 0 ? versions[^1] : null;
        }

        foreach (var candidate in versions)
        {
            if (candidate.Version == version)
            {
                return candidate;
            }
        }

        return null;
    }

    public void Add(long version)
    {
        if (Find(version) is null)
        {
            _versions = [.. _versions.Append(new VersionSeries(families, model, version)).OrderBy(series => series.Version)];
        }
    }

    public void Remove(long version)
    {
        if (Find(version) is { } series)
        {
            _versions = [.. _versions.Where(other => other != series)];
            series.Dispose();
        }
    }

    public void Dispose()
    {
        _grpcReady.Dispose();
        _restReady.Dispose();
    }
}
