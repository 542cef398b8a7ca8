using System.Diagnostics;

namespace Cluster.Unit.Tracing;

/// <summary>Says which trace its call belongs to.</summary>
public interface ITraceGrain : IGrainWithStringKey
{
    /// <summary>Null: none.</summary>
    ValueTask<string?> TraceAsync();
}

internal sealed class TraceGrain : Grain, ITraceGrain
{
    public ValueTask<string?> TraceAsync() => new(Activity.Current?.TraceId.ToHexString());
}
