using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Serving;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class InferenceDispatcherTests : IDisposable
{
    private readonly Routing _routing = new(new FakeHealth());
    private readonly InMemoryServingStates _states;
    private readonly FakeGrains _grains;
    private readonly ManualTimeProvider _time;
    private readonly PayloadBuffer _message = PayloadBuffer.CopyOf([1, 2, 3]);

    public InferenceDispatcherTests()
    {
        (_states, _grains, _time) = (_routing.States, _routing.Grains, _routing.Time);
        _states.Publish(States.Model("m", States.Ready(1)));
    }

    public void Dispose() => _routing.Dispose();

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
    public async Task Infer_CallerGivesUp_LeavesTheCopyItsCountOfTheMessage()
    {
        using var giveUp = new CancellationTokenSource();
        PayloadBuffer? taken = null;
        _grains.Copy("m/1/0").Infer = (request, cancellationToken) =>
        {
            taken = request.Message;
            Assert.True(taken.TryTake());
            giveUp.Cancel();
            return ValueTask.FromCanceled<InferReply>(cancellationToken);
        };

        var (reply, _) = await InferAsync(cancellationToken: giveUp.Token);

        Assert.Equal(StatusCode.Cancelled, reply.Failure!.Code);
        Assert.False(IsGivenBack);
        taken!.Dispose();
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_SiloStops_IsUnavailableWithAHint()
    {
        _routing.Health.IsAlone = true;
        _grains.Copy("m/1/0").Infer = (_, _) => throw new SiloUnavailableException("stopping");

        var (reply, _) = await InferAsync();

        Assert.Equal(Failure.Unavailable("stopping", TimeSpan.FromSeconds(1)), reply.Failure);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_SiloLost_AnotherCopyAnswers()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two)));
        _grains.Copy("m/1/0").Infer = (_, _) =>
        {
            _routing.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };
        _grains.Copy("m/1/1").Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([9])));

        for (var i = 0; i < 20; i++)
        {
            var (reply, _, _) = await _routing.Dispatcher
                .InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null), default).AsTask().Soon();
            Assert.True(reply.Succeeded);
        }

        Assert.Single(_grains.Copy("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_OnlyCopyOnALostSilo_WaitsUntilItIsLoadedElsewhere()
    {
        _states.Publish(States.Model("m", States.Placed(1, One)));
        _grains.Copy("m/1/0").Infer = (_, _) =>
        {
            _routing.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };

        var answer = InferAsync();
        Assert.False(answer.IsCompleted);
        _grains.Copy("m/1/0").Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([9])));
        _routing.Health.Gone.Add(One);
        _routing.Health.Change();

        Assert.True((await answer).Reply.Succeeded);
        Assert.Equal(2, _grains.Copy("m/1/0").Requests.Count);
    }

    [Fact]
    public async Task Infer_SiloLostThatStillSeemsReachable_IsAskedUntilItIsGone()
    {
        _states.Publish(States.Model("m", States.Placed(1, One)));
        var copy = _grains.Copy("m/1/0");
        var calls = 0;
        copy.Infer = (_, _) =>
        {
            if (++calls <= 5)
            {
                throw new SiloUnavailableException("connection refused");
            }

            return new(InferReply.Success(PayloadBuffer.CopyOf([9])));
        };

        var answer = InferAsync();
        while (!answer.IsCompleted)
        {
            _routing.Health.Change();
            await Task.Yield();
        }

        Assert.True((await answer).Reply.Succeeded);
        Assert.Equal(6, calls);
    }

    [Fact]
    public async Task Infer_LostAndNobodyCanSayWhoHasIt_IsUnavailableAtOnce()
    {
        _states.Publish(States.Model("m", States.Placed(1, One)));
        _routing.Health.Unreachable.Add(One);
        _routing.Health.IsStoreReachable = false;

        var (reply, _) = await InferAsync();

        Assert.Equal(StatusCode.Unavailable, reply.Failure!.Code);
        Assert.NotNull(reply.Failure.RetryAfter);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_CallerGivesUpWhileNobodyHasACopy_GivesTheMessageBack()
    {
        using var giveUp = new CancellationTokenSource();
        _states.Publish(States.Model("m", States.Placed(1, One)));
        _routing.Health.Unreachable.Add(One);

        var answer = InferAsync(cancellationToken: giveUp.Token);
        Assert.False(answer.IsCompleted);
        await giveUp.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await answer).Reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_QueueFull_AnotherCopyAnswers()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two)));
        _grains.Copy("m/1/0").Infer = (_, _) => Answer(Full, throws: false);
        _grains.Copy("m/1/1").Infer = (_, _) => Answer(Full, throws: false);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(_grains.Copy("m/1/0").Requests);
        Assert.Single(_grains.Copy("m/1/1").Requests);
    }

    [Fact]
    public async Task Infer_QueueOfTheOnlyCopyFull_IsRefused()
    {
        _grains.Copy("m/1/0").Infer = (_, _) => Answer(Full, throws: false);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(_grains.Copy("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_CopiesInMemory_AreChosenBeforeTheOthersAndEvenly()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two) with { Copies = [0, 1, 2] }));
        var pending = new List<TaskCompletionSource<InferReply>>();
        foreach (var copy in (string[])["m/1/0", "m/1/1", "m/1/2"])
        {
            _grains.Copy(copy).Infer = (_, _) =>
            {
                pending.Add(new TaskCompletionSource<InferReply>());
                return new ValueTask<InferReply>(pending[^1].Task);
            };
        }

        var answers = Enumerable.Range(0, 100)
            .Select(_ => _routing.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null), default).AsTask())
            .ToList();
        pending.ForEach(answer => answer.SetResult(InferReply.Success(PayloadBuffer.CopyOf([9]))));
        await Task.WhenAll(answers).Soon();

        Assert.Equal(50, _grains.Copy("m/1/0").Requests.Count);
        Assert.Equal(50, _grains.Copy("m/1/1").Requests.Count);
        Assert.Empty(_grains.Copy("m/1/2").Requests);
    }

    private static SiloAddress One { get; } = SiloAddress.FromParsableString("127.0.0.1:1@1");

    private static SiloAddress Two { get; } = SiloAddress.FromParsableString("127.0.0.1:2@1");

    private static Failure Full { get; } = Failure.Exhausted("the queue is full", TimeSpan.FromSeconds(1));

    private bool IsGivenBack => Record.Exception(() => _message.Memory) is ObjectDisposedException;

    private static ValueTask<InferReply> Answer(Failure failure, bool throws) =>
        throws ? throw new ServingException(failure) : new ValueTask<InferReply>(InferReply.Failed(failure));

    private async Task<(InferReply Reply, long Version)> InferAsync(
        string model = "m", TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var (reply, _, version) = await _routing.Dispatcher
            .InferAsync(new InferCall(model, "", _message, Protocol.Grpc, timeout), cancellationToken)
            .AsTask()
            .Soon();
        return (reply, version);
    }
}
