using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Gateway.Security;
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
        _grains.Replica("m/1/0").Infer = (request, _) => new(InferReply.Success(Assert.IsType<PayloadBuffer>(request.Message) == _message ? answer : null!));

        var (reply, version) = await InferAsync();

        Assert.Same(answer, reply.Message);
        Assert.Equal(1, version);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_CopyHasMoved_FollowsTheNewRouteWithTheSameMessage()
    {
        _grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _states.Publish(States.Model("m", States.Ready(1, 1)));
            return Answer(FakeReplica.Moved);
        };
        _grains.Replica("m/1/1").Infer = (request, _) => new(InferReply.Success(PayloadBuffer.CopyOf(request.Message.Span)));

        var (reply, _) = await InferAsync();

        Assert.Equal([1, 2, 3], reply.Message!.Span.ToArray());
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_ReplicasHaveAlwaysMoved_GivesUpAfterThreeTries()
    {
        var asked = 0;
        for (var number = 0; number < 4; number++)
        {
            var next = number + 1;
            _grains.Replica($"m/1/{number}").Infer = (_, _) =>
            {
                asked++;
                _states.Publish(States.Model("m", States.Ready(1, next)));
                return Answer(FakeReplica.Moved);
            };
        }

        var (reply, _) = await InferAsync();

        Assert.Equal((FakeReplica.Moved, 3), (reply.Failure, asked));
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_TheOnlyReplicaHasMoved_HasTheModelLoadAnotherAndNamesIt()
    {
        _grains.Replica("m/1/0").Infer = (_, _) => Answer(FakeReplica.Moved);
        _grains.Replica("m/1/1").Infer = (_, _) => Answer();
        ModelReplicaId? missed = null;
        _grains.Model("m").Ensure = (_, missing) =>
        {
            missed = missing;
            _states.Publish(States.Model("m", States.Ready(1, 1)));
            return Task.CompletedTask;
        };

        var (reply, _) = await InferAsync();

        Assert.True(reply.Succeeded);
        Assert.Equal(new ModelReplicaId("m", 1, 0, States.At(0)), missed);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_NotInMemory_IsLoadedByOneCallForAllThatWait()
    {
        _states.Publish(States.Model("m", States.OnDemand(1)));
        _grains.Replica("m/1/5").Infer = (_, _) => Answer();
        var load = new TaskCompletionSource();
        _grains.Model("m").Ensure = async (_, _) =>
        {
            await load.Task;
            _states.Publish(States.Model("m", States.Ready(1, 5)));
        };

        var answers = Enumerable.Range(0, 20)
            .Select(_ => _routing.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask())
            .ToList();
        load.SetResult();

        Assert.All(await Task.WhenAll(answers).Soon(), answer => Assert.True(answer.Reply.Succeeded));
        Assert.Equal(["ensure"], _grains.Model("m").Calls);
    }

    [Fact]
    public async Task Infer_DeadlineWhileItLoads_IsExceeded()
    {
        _states.Publish(States.Model("m", States.OnDemand(1)));
        _grains.Model("m").Ensure = (_, _) => new TaskCompletionSource().Task;

        var answer = InferAsync(timeout: TimeSpan.FromSeconds(5));
        _time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(StatusCode.DeadlineExceeded, (await answer).Reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_LoadFails_IsToldTheCause()
    {
        var failure = Failure.Unavailable("failed to load", TimeSpan.FromSeconds(10)) with { Kind = FailureKind.LoadFailed };
        _states.Publish(States.Model("m", States.OnDemand(1)));
        _grains.Model("m").Ensure = (_, _) => throw new ServingException(failure);

        var (reply, version) = await InferAsync();

        Assert.Equal((failure, 1), (reply.Failure, version));
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_LostWithTwoSilos_IsNotSentToAThird()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two, States.At(7))));
        for (var number = 0; number < 3; number++)
        {
            _grains.Replica($"m/1/{number}").Infer = (_, _) => throw new SiloUnavailableException("the target silo became unavailable");
        }

        var (reply, _) = await InferAsync();

        Assert.Equal(
            Failure.Internal("model 'm' version 1 failed: two silos were lost while each ran this request, and it is not sent to another"), reply.Failure);
        Assert.Equal(2, Enumerable.Range(0, 3).Sum(number => _grains.Replica($"m/1/{number}").Requests.Count));
        Assert.True(IsGivenBack);
        var (version, silos) = Assert.Single(_grains.Model("m").Accusations);
        Assert.Equal((1, 2), (version, silos.Distinct().Count()));
    }

    [Fact]
    public async Task Infer_TwoSilosLostAtOnce_GoesToAThirdAndAccusesNoModel()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two, States.At(7))));
        var lost = 0;
        var gone = 0;
        for (var number = 0; number < 3; number++)
        {
            _grains.Replica($"m/1/{number}").Infer = (_, _) => ++lost == 1 ? throw new SiloUnavailableException("the target silo became unavailable") : Answer();
            _grains.Replica($"m/1/{number}").Description = () => ++gone == 1 ? throw new SiloUnavailableException("the target silo became unavailable") : null;
        }

        var (reply, _) = await InferAsync();

        Assert.True(reply.Succeeded);
        Assert.Equal((2, 2), (lost, gone));
        Assert.Empty(_grains.Model("m").Accusations);
    }

    [Fact]
    public async Task Infer_ReplicaOfThisProcessWithRoom_IsCalledWithoutAMessage()
    {
        var local = new FakeLocalReplicas(One);
        using var routing = new Routing(new FakeHealth(), local);
        routing.States.Publish(States.Model("m", States.Placed(1, Two, One)));
        routing.Grains.Replica("m/1/0").Infer = (_, _) => Answer();
        local.Replicas[new ModelReplicaId("m", 1, 1, One)] = local;

        for (var call = 0; call < 10; call++)
        {
            await routing.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask().Soon();
        }

        Assert.Equal(10, local.Requests);
        Assert.Empty(routing.Grains.Replica("m/1/0").Requests);

        // Without room it is one among others.
        local.HasRoom = false;
        for (var call = 0; call < 50; call++)
        {
            await routing.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask().Soon();
        }

        Assert.InRange(routing.Grains.Replica("m/1/0").Requests.Count, 1, 49);
    }

    [Fact]
    public async Task Infer_ReplicaOfThisProcessThatIsNotLoaded_IsFollowedByAnother()
    {
        var local = new FakeLocalReplicas(One);
        using var routing = new Routing(new FakeHealth(), local);
        routing.States.Publish(States.Model("m", States.Placed(1, One, Two)));
        routing.Grains.Replica("m/1/1").Infer = (_, _) => Answer();

        for (var call = 0; call < 10; call++)
        {
            var (reply, _, _) = await routing.Dispatcher
                .InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask().Soon();
            Assert.True(reply.Succeeded);
        }

        Assert.Empty(routing.Grains.Replica("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_CopyRefusesForAReason_IsFinal()
    {
        var failure = Failure.Unavailable("failed to load", TimeSpan.FromSeconds(10));
        var replica = _grains.Replica("m/1/0");
        replica.Infer = (_, _) => Answer(failure);

        var (reply, _) = await InferAsync();

        Assert.Equal(failure, reply.Failure);
        Assert.Single(replica.Requests);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_ModelGoneBetweenTries_IsNotFound()
    {
        _grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _states.Publish(States.Model("m"));
            return Answer(FakeReplica.Moved);
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
        var timeouts = new List<double>();
        _states.Publish(States.Model("m", States.Ready(1, 0, 1, 2)));
        for (var number = 0; number < 3; number++)
        {
            _grains.Replica($"m/1/{number}").Infer = (request, _) =>
            {
                timeouts.Add(request.Timeout!.Value.TotalSeconds);
                _time.Advance(TimeSpan.FromSeconds(4));
                return Answer(FakeReplica.Moved);
            };
        }

        await InferAsync(timeout: TimeSpan.FromSeconds(5));

        Assert.Equal([5.0, 1, 0], timeouts);
    }

    [Fact]
    public async Task Infer_AnotherVersionMeanwhileWithTheSameNumber_IsNotTakenForTheOneThatMoved()
    {
        _grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _states.Publish(States.Model("m", States.Placed(2, States.At(0))));
            return Answer(FakeReplica.Moved);
        };
        _grains.Replica("m/2/0").Infer = (_, _) => Answer();

        var (reply, version) = await InferAsync();

        Assert.Equal((true, 2), (reply.Succeeded, version));
        Assert.Empty(_grains.Model("m").Calls);
    }

    [Fact]
    public async Task Infer_NoDeadline_SendsNone()
    {
        var replica = _grains.Replica("m/1/0");
        replica.Infer = (_, _) => Answer(Failure.Internal("x"));

        await InferAsync();

        Assert.Null(Assert.Single(replica.Requests).Timeout);
    }

    [Fact]
    public async Task Infer_CallerGivesUp_LeavesTheReplicaItsCountOfTheMessage()
    {
        using var giveUp = new CancellationTokenSource();
        PayloadBuffer? taken = null;
        _grains.Replica("m/1/0").Infer = (request, cancellationToken) =>
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
        _grains.Replica("m/1/0").Infer = (_, _) => throw new SiloUnavailableException("stopping");

        var (reply, _) = await InferAsync();

        Assert.Equal(Failure.Lost("the silo of a replica of model 'm' was lost, or cannot be reached"), reply.Failure);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_SiloLost_AnotherCopyAnswers()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two)));
        _grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _routing.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };
        _grains.Replica("m/1/1").Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([9])));

        for (var i = 0; i < 20; i++)
        {
            var (reply, _, _) = await _routing.Dispatcher
                .InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask().Soon();
            Assert.True(reply.Succeeded);
        }

        Assert.Single(_grains.Replica("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_OnlyCopyOnALostSilo_WaitsUntilItIsLoadedElsewhere()
    {
        _states.Publish(States.Model("m", States.Placed(1, One)));
        _grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _routing.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };

        _grains.Replica("m/1/1").Infer = (_, _) => Answer();
        _grains.Model("m").Ensure = (_, _) =>
        {
            _states.Publish(States.Model("m", States.Ready(1, 1)));
            return Task.CompletedTask;
        };

        var answer = InferAsync();
        Assert.False(answer.IsCompleted);
        Assert.Empty(_grains.Model("m").Calls);
        _routing.Health.Gone.Add(One);
        _routing.Health.Change();

        Assert.True((await answer).Reply.Succeeded);
    }

    [Fact]
    public async Task Infer_SiloLostThatStillSeemsReachable_IsAskedUntilItIsGone()
    {
        _states.Publish(States.Model("m", States.Placed(1, One)));
        var replica = _grains.Replica("m/1/0");
        var calls = 0;
        replica.Infer = (_, _) =>
        {
            if (++calls <= 5)
            {
                throw new SiloUnavailableException("connection refused", new InvalidOperationException());
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
    public async Task Infer_LostAndNoGrainCanSayWhoHasIt_IsUnavailableAtOnce()
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
    public async Task Infer_CallerGivesUpWhileNoSiloHasAReplica_GivesTheMessageBack()
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
        _grains.Replica("m/1/0").Infer = (_, _) => Answer(Full);
        _grains.Replica("m/1/1").Infer = (_, _) => Answer(Full);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(_grains.Replica("m/1/0").Requests);
        Assert.Single(_grains.Replica("m/1/1").Requests);
    }

    [Fact]
    public async Task Infer_QueueOfTheOnlyCopyFull_IsRefused()
    {
        _grains.Replica("m/1/0").Infer = (_, _) => Answer(Full);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(_grains.Replica("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_SeveralReplicas_AreChosenEvenly()
    {
        _states.Publish(States.Model("m", States.Placed(1, One, Two)));
        var pending = new List<TaskCompletionSource<InferReply>>();
        foreach (var replica in (string[])["m/1/0", "m/1/1"])
        {
            _grains.Replica(replica).Infer = (_, _) =>
            {
                pending.Add(new TaskCompletionSource<InferReply>());
                return new ValueTask<InferReply>(pending[^1].Task);
            };
        }

        var answers = Enumerable.Range(0, 100)
            .Select(_ => _routing.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask())
            .ToList();
        pending.ForEach(answer => answer.SetResult(InferReply.Success(PayloadBuffer.CopyOf([9]))));
        await Task.WhenAll(answers).Soon();

        Assert.Equal(50, _grains.Replica("m/1/0").Requests.Count);
        Assert.Equal(50, _grains.Replica("m/1/1").Requests.Count);
    }

    private static SiloAddress One { get; } = SiloAddress.FromParsableString("127.0.0.1:1@1");

    private static SiloAddress Two { get; } = SiloAddress.FromParsableString("127.0.0.1:2@1");

    private static Failure Full { get; } = Failure.Exhausted("the queue is full", TimeSpan.FromSeconds(1));

    private bool IsGivenBack => Record.Exception(() => _message.Memory) is ObjectDisposedException;

    private static ValueTask<InferReply> Answer(Failure failure) => new(InferReply.Failed(failure));

    private static ValueTask<InferReply> Answer() => new(InferReply.Success(PayloadBuffer.CopyOf([9])));

    private async Task<(InferReply Reply, long Version)> InferAsync(
        string model = "m", TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        var (reply, _, version) = await _routing.Dispatcher
            .InferAsync(new InferCall(model, "", _message, Protocol.Grpc, timeout) { Caller = Caller.Anyone }, cancellationToken)
            .AsTask()
            .Soon();
        return (reply, version);
    }
}
