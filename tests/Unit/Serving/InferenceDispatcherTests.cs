using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>Requests that one call answers.</summary>
public sealed class InferenceDispatcherTests : DispatchTestBase
{
    [Fact]
    public async Task Infer_ReplicaAnswers_GivesTheAnswerAndTheMessageBack()
    {
        var answer = PayloadBuffer.CopyOf([9]);
        Grains.Replica("m/1/0").Infer = (request, _) => new(InferReply.Success(Assert.IsType<PayloadBuffer>(request.Message) == Sent ? answer : null!));

        var (reply, version) = await InferAsync();

        Assert.Same(answer, reply.Message);
        Assert.Equal(1, version);
        Assert.True(IsGivenBack);
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
    public async Task Infer_ForAClient_CarriesItsShareToEachReplica()
    {
        var client = new ClientRights("a", []) { Keys = [], Certificates = [], Tokens = [], Quota = ClientQuota.None with { Weight = 300 } };
        var control = new AccessControl(Time) { Policy = new AccessPolicy([client]) };
        var seen = new List<CallerShare>();
        ValueTask<InferReply> Refuse(InferRequest request)
        {
            seen.Add(request.Share);
            return Answer(Full);
        }

        Published.Publish(States.Model("m", States.Placed(1, One, Two)));
        Grains.Replica("m/1/0").Infer = (request, _) => Refuse(request);
        Grains.Replica("m/1/1").Infer = (request, _) => Refuse(request);

        await Gateway.Dispatcher.InferAsync(new InferCall("m", "", Sent, Protocol.Grpc, null) { Caller = control.CallerOf(client) }, default).AsTask().Soon();

        Assert.Equal(300, client.Share.Weight);
        Assert.Equal([client.Share, client.Share], seen);
    }

    [Fact]
    public async Task Infer_ReplicaRefusesForAReason_IsFinal()
    {
        var failure = Failure.Unavailable("failed to load", TimeSpan.FromSeconds(10));
        var replica = Grains.Replica("m/1/0");
        replica.Infer = (_, _) => Answer(failure);

        var (reply, _) = await InferAsync();

        Assert.Equal(failure, reply.Failure);
        Assert.Single(replica.Requests);
        Assert.True(IsGivenBack);
    }

    /// <summary>The first call of a request, and one that follows another.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Infer_CallThrows_GivesTheMessageBack(int call)
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two)));
        var calls = 0;
        foreach (var replica in (string[])["m/1/0", "m/1/1"])
        {
            Grains.Replica(replica).Infer = (_, _) => ++calls < call ? Answer(FakeReplica.Moved) : throw new TimeoutException("Response did not arrive on time");
        }

        await Assert.ThrowsAsync<TimeoutException>(() => InferAsync());

        Assert.Equal(call, calls);
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
    public async Task Infer_NoDeadline_SendsNone()
    {
        var replica = Grains.Replica("m/1/0");
        replica.Infer = (_, _) => Answer(Failure.Internal("x"));

        await InferAsync();

        Assert.Null(Assert.Single(replica.Requests).Timeout);
    }

    [Fact]
    public async Task Infer_CallerGivesUp_LeavesTheReplicaItsCountOfTheMessage()
    {
        using var giveUp = new CancellationTokenSource();
        PayloadBuffer? taken = null;
        Grains.Replica("m/1/0").Infer = (request, cancellationToken) =>
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
    public async Task Infer_SeveralReplicas_AreChosenEvenly()
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two)));
        var pending = new List<TaskCompletionSource<InferReply>>();
        foreach (var replica in (string[])["m/1/0", "m/1/1"])
        {
            Grains.Replica(replica).Infer = (_, _) =>
            {
                pending.Add(new TaskCompletionSource<InferReply>());
                return new ValueTask<InferReply>(pending[^1].Task);
            };
        }

        var answers = Enumerable.Range(0, 100)
            .Select(_ => Gateway.Dispatcher.InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask())
            .ToList();
        pending.ForEach(answer => answer.SetResult(InferReply.Success(PayloadBuffer.CopyOf([9]))));
        await Task.WhenAll(answers).Soon();

        Assert.Equal(50, Grains.Replica("m/1/0").Requests.Count);
        Assert.Equal(50, Grains.Replica("m/1/1").Requests.Count);
    }
}
