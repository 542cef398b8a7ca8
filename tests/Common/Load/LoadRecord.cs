namespace Cluster.Tests.Common;

/// <summary>One request of a load.</summary>
/// <param name="Due">When it was to be sent, since the load began.</param>
/// <param name="Latency">From then to its end.</param>
public sealed record LoadRecord(string Model, int Gateway, TimeSpan Due, TimeSpan Latency, InferResult Result)
{
    public TimeSpan End => Due + Latency;

    public override string ToString() => $"{Model} through gateway {Gateway + 1}, due at {Due.TotalSeconds:0.000} s, after {Latency.TotalMilliseconds:0} ms: {Result}";
}
