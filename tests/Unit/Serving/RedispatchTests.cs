using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>Requests whose replica has moved, is not in memory or has no room.</summary>
public sealed class RedispatchTests : DispatchTestBase
{
    [Fact]
    public async Task Infer_ReplicaHasMoved_FollowsTheNewRouteWithTheSameMessage()
    {
        Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            Published.Publish(States.Model("m", States.Ready(1, 1)));
            return Answer(FakeReplica.Moved);
        };
        Grains.Replica("m/1/1").Infer = (request, _) => new(InferReply.Success(PayloadBuffer.CopyOf(request.Message.Span)));

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
            Grains.Replica($"m/1/{number}").Infer = (_, _) =>
            {
                asked++;
                Published.Publish(States.Model("m", States.Ready(1, next)));
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
        Grains.Replica("m/1/0").Infer = (_, _) => Answer(FakeReplica.Moved);
        Grains.Replica("m/1/1").Infer = (_, _) => Answer();
        ModelReplicaId? missed = null;
        Grains.Model("m").Ensure = (_, missing) =>
        {
            missed = missing;
            Published.Publish(States.Model("m", States.Ready(1, 1)));
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
        Published.Publish(States.Model("m", States.OnDemand(1)));
        Grains.Replica("m/1/5").Infer = (_, _) => Answer();
        var load = new TaskCompletionSource();
        Grains.Model("m").Ensure = async (_, _) =>
        {
            await load.Task;
            Published.Publish(States.Model("m", States.Ready(1, 5)));
        };

        var answers = Enumerable.Range(0, 20)
            .Select(_ => Gateway.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask())
            .ToList();
        load.SetResult();

        Assert.All(await Task.WhenAll(answers).Soon(), answer => Assert.True(answer.Reply.Succeeded));
        Assert.Equal(["ensure"], Grains.Model("m").Calls);
    }

    [Fact]
    public async Task Infer_DeadlineWhileItLoads_IsExceeded()
    {
        Published.Publish(States.Model("m", States.OnDemand(1)));
        Grains.Model("m").Ensure = (_, _) => new TaskCompletionSource().Task;

        var answer = InferAsync(timeout: TimeSpan.FromSeconds(5));
        Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(StatusCode.DeadlineExceeded, (await answer).Reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_LoadFails_IsToldTheCause()
    {
        var failure = Failure.Unavailable("failed to load", TimeSpan.FromSeconds(10)) with { Kind = FailureKind.LoadFailed };
        Published.Publish(States.Model("m", States.OnDemand(1)));
        Grains.Model("m").Ensure = (_, _) => throw new ServingException(failure);

        var (reply, version) = await InferAsync();

        Assert.Equal((failure, 1), (reply.Failure, version));
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_ModelGoneBetweenTries_IsNotFound()
    {
        Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            Published.Publish(States.Model("m"));
            return Answer(FakeReplica.Moved);
        };

        var (reply, _) = await InferAsync();

        Assert.Equal(StatusCode.NotFound, reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_DeadlineAndTries_EachTryHasWhatIsLeft()
    {
        var timeouts = new List<double>();
        Published.Publish(States.Model("m", States.Ready(1, 0, 1, 2)));
        for (var number = 0; number < 3; number++)
        {
            Grains.Replica($"m/1/{number}").Infer = (request, _) =>
            {
                timeouts.Add(request.Timeout!.Value.TotalSeconds);
                Time.Advance(TimeSpan.FromSeconds(4));
                return Answer(FakeReplica.Moved);
            };
        }

        await InferAsync(timeout: TimeSpan.FromSeconds(5));

        Assert.Equal([5.0, 1, 0], timeouts);
    }

    [Fact]
    public async Task Infer_AnotherVersionMeanwhileWithTheSameNumber_IsNotTakenForTheOneThatMoved()
    {
        Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            Published.Publish(States.Model("m", States.Placed(2, States.At(0))));
            return Answer(FakeReplica.Moved);
        };
        Grains.Replica("m/2/0").Infer = (_, _) => Answer();

        var (reply, version) = await InferAsync();

        Assert.Equal((true, 2), (reply.Succeeded, version));
        Assert.Empty(Grains.Model("m").Calls);
    }

    [Fact]
    public async Task Infer_QueueFull_AnotherReplicaAnswers()
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two)));
        Grains.Replica("m/1/0").Infer = (_, _) => Answer(Full);
        Grains.Replica("m/1/1").Infer = (_, _) => Answer(Full);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(Grains.Replica("m/1/0").Requests);
        Assert.Single(Grains.Replica("m/1/1").Requests);
    }

    [Fact]
    public async Task Infer_QueueOfTheOnlyReplicaFull_IsRefused()
    {
        Grains.Replica("m/1/0").Infer = (_, _) => Answer(Full);

        var (reply, _) = await InferAsync();

        Assert.Equal(Full, reply.Failure);
        Assert.Single(Grains.Replica("m/1/0").Requests);
    }
}
