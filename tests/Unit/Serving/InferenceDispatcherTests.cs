using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Serving;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class InferenceDispatcherTests : IDisposable
{
    private readonly InMemoryServingStates _states = new();
    private readonly FakeGrains _grains = new();
    private readonly ManualTimeProvider _time = new();
    private readonly RouteTable _routes;
    private readonly InferenceDispatcher _dispatcher;
    private readonly PayloadBuffer _message = PayloadBuffer.CopyOf([1, 2, 3]);

    public InferenceDispatcherTests()
    {
        _routes = new RouteTable(_states, _grains);
        _dispatcher = new InferenceDispatcher(_routes, new ModelNames(_routes, new InMemoryAliases(), _grains), _time);
        _states.Publish(States.Model("m", States.Ready(1)));
    }

    public void Dispose() => _routes.Dispose();

    [Fact]
    public async Task Infer_CopyAnswers_GivesTheAnswerAndTheMessageBack()
    {
        var answer = PayloadBuffer.CopyOf([9]);
        _grains.Copy("m/1/0").Infer = (request, _) => new(InferReply.Success(Assert.IsType<PayloadBuffer>(request.Message) == _message ? answer : null!));

        var (reply, version) = await InferAsync();

        Assert.Same(answer, reply.Message);
        Assert.Equal(1, version);
        Assert.True(IsGivenBack);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Infer_CopyHasMoved_FollowsTheNewRouteWithTheSameMessage(bool throws)
    {
        _grains.Copy("m/1/0").Infer = (_, _) =>
        {
            _states.Publish(States.Model("m", States.Ready(1, 1)));
            return Answer(FakeCopy.Moved, throws);
        };
        _grains.Copy("m/1/1").Infer = (request, _) => new(InferReply.Success(PayloadBuffer.CopyOf(request.Message.Span)));

        var (reply, _) = await InferAsync();

        Assert.Equal([1, 2, 3], reply.Message!.Span.ToArray());
        Assert.True(IsGivenBack);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Infer_CopyHasAlwaysMoved_GivesUpAfterThreeTries(bool throws)
    {
        var copy = _grains.Copy("m/1/0");
        copy.Infer = (_, _) => Answer(FakeCopy.Moved, throws);

        var (reply, _) = await InferAsync();

        Assert.Equal(FakeCopy.Moved, reply.Failure);
        Assert.Equal(3, copy.Requests.Count);
        Assert.True(IsGivenBack);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Infer_CopyRefusesForAReason_IsFinal(bool throws)
    {
        var failure = Failure.Unavailable("failed to load", TimeSpan.FromSeconds(10));
        var copy = _grains.Copy("m/1/0");
        copy.Infer = (_, _) => Answer(failure, throws);

        var (reply, _) = await InferAsync();

        Assert.Equal(failure, reply.Failure);
        Assert.Single(copy.Requests);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_ModelGoneBetweenTries_IsNotFound()
    {
        _grains.Copy("m/1/0").Infer = (_, _) =>
        {
            _states.Publish(States.Model("m"));
            return Answer(FakeCopy.Moved, throws: false);
        };

        var (reply, _) = await InferAsync();

        Assert.Equal(StatusCode.NotFound, reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_NoRoute_SaysWhyAndGivesTheMessageBack()
    {
        var (reply, version) = await InferAsync(model: "unknown");

        Assert.Equal(StatusCode.NotFound, reply.Failure!.Code);
        Assert.Equal(0, version);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_DeadlineAndTries_EachTryHasWhatIsLeft()
    {
        var copy = _grains.Copy("m/1/0");
        copy.Infer = (_, _) =>
        {
            _time.Advance(TimeSpan.FromSeconds(4));
            return Answer(FakeCopy.Moved, throws: false);
        };

        await InferAsync(timeout: TimeSpan.FromSeconds(5));

        Assert.Equal([5.0, 1, 0], copy.Requests.Select(request => request.Timeout!.Value.TotalSeconds));
    }

    [Fact]
    public async Task Infer_NoDeadline_SendsNone()
    {
        var copy = _grains.Copy("m/1/0");
        copy.Infer = (_, _) => Answer(Failure.Internal("x"), throws: false);

        await InferAsync();

        Assert.Null(Assert.Single(copy.Requests).Timeout);
    }

    [Fact]
    public async Task Infer_CallerGivesUp_LeavesTheMessageToTheCopy()
    {
        using var giveUp = new CancellationTokenSource();
        _grains.Copy("m/1/0").Infer = (_, cancellationToken) =>
        {
            giveUp.Cancel();
            return ValueTask.FromCanceled<InferReply>(cancellationToken);
        };

        var (reply, _) = await InferAsync(cancellationToken: giveUp.Token);

        Assert.Equal(StatusCode.Cancelled, reply.Failure!.Code);
        Assert.False(IsGivenBack);
    }

    [Fact]
    public async Task Infer_SiloStops_IsUnavailableWithAHint()
    {
        _grains.Copy("m/1/0").Infer = (_, _) => throw new SiloUnavailableException("stopping");

        var (reply, _) = await InferAsync();

        Assert.Equal(Failure.Unavailable("stopping", TimeSpan.FromSeconds(1)), reply.Failure);
        Assert.True(IsGivenBack);
    }

    private bool IsGivenBack => Record.Exception(() => _message.Memory) is ObjectDisposedException;

    private static ValueTask<InferReply> Answer(Failure failure, bool throws) =>
        throws ? throw new ServingException(failure) : new ValueTask<InferReply>(InferReply.Failed(failure));

    private async Task<(InferReply Reply, long Version)> InferAsync(
        string model = "m", TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var (reply, _, version) = await _dispatcher
            .InferAsync(new InferCall(model, "", _message, Protocol.Grpc, timeout), cancellationToken)
            .AsTask()
            .Soon();
        return (reply, version);
    }
}
