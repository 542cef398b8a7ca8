namespace Cluster.Tests.Common;

/// <summary>A call that was expected to succeed did not.</summary>
public sealed class GrpcCallException(GrpcAnswer answer) : Exception(answer.ToString())
{
    public GrpcAnswer Answer { get; } = answer;
}
