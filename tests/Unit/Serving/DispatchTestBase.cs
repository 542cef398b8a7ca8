using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>A gateway that routes to replicas of one model, <c>m</c>, which a test answers for.</summary>
public abstract class DispatchTestBase : IDisposable
{
    private readonly Routing _gateway = new(new FakeHealth());

    protected DispatchTestBase() => Published.Publish(States.Model("m", States.Ready(1)));

    internal static SiloAddress One { get; } = SiloAddress.FromParsableString("127.0.0.1:1@1");

    internal static SiloAddress Two { get; } = SiloAddress.FromParsableString("127.0.0.1:2@1");

    internal static Failure Full { get; } = Failure.Exhausted("the queue is full", TimeSpan.FromSeconds(1));

    internal Routing Gateway => _gateway;

    internal InMemoryServingStates Published => _gateway.States;

    internal FakeGrains Grains => _gateway.Grains;

    internal ManualTimeProvider Time => _gateway.Time;

    /// <summary>The message of <see cref="InferAsync"/>.</summary>
    internal PayloadBuffer Sent { get; } = PayloadBuffer.CopyOf([1, 2, 3]);

    internal bool IsGivenBack => Record.Exception(() => Sent.Memory) is ObjectDisposedException;

    public void Dispose()
    {
        _gateway.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static ValueTask<InferReply> Answer(Failure failure) => new(InferReply.Failed(failure));

    internal static ValueTask<InferReply> Answer() => new(InferReply.Success(PayloadBuffer.CopyOf([9])));

    internal async Task<(InferReply Reply, long Version)> InferAsync(
        string model = "m", TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var (reply, _, version) = await _gateway.Dispatcher
            .InferAsync(new InferCall(model, "", Sent, Protocol.Grpc, timeout) { Caller = Caller.Anyone }, cancellationToken)
            .AsTask()
            .Soon();
        return (reply, version);
    }
}
