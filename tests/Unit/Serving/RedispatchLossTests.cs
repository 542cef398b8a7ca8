using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>Requests whose silo was lost, or cannot be reached.</summary>
public sealed class RedispatchLossTests : DispatchTestBase
{
    [Fact]
    public async Task Infer_LostWithTwoSilos_IsNotSentToAThird()
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two, States.At(7))));
        for (var number = 0; number < 3; number++)
        {
            Grains.Replica($"m/1/{number}").Infer = (_, _) => throw new SiloUnavailableException("the target silo became unavailable");
        }

        var (reply, _) = await InferAsync();

        Assert.Equal(
            Failure.Internal("model 'm' version 1 failed: two silos were lost while each ran this request, and it is not sent to another"), reply.Failure);
        Assert.Equal(2, Enumerable.Range(0, 3).Sum(number => Grains.Replica($"m/1/{number}").Requests.Count));
        Assert.True(IsGivenBack);
        var (version, silos) = Assert.Single(Grains.Model("m").Accusations);
        Assert.Equal((1, 2), (version, silos.Distinct().Count()));
    }

    [Fact]
    public async Task Infer_TwoSilosLostAtOnce_GoesToAThirdAndAccusesNoModel()
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two, States.At(7))));
        var lost = 0;
        var gone = 0;
        for (var number = 0; number < 3; number++)
        {
            Grains.Replica($"m/1/{number}").Infer = (_, _) => ++lost == 1 ? throw new SiloUnavailableException("the target silo became unavailable") : Answer();
            Grains.Replica($"m/1/{number}").Description = () => ++gone == 1 ? throw new SiloUnavailableException("the target silo became unavailable") : null;
        }

        var (reply, _) = await InferAsync();

        Assert.True(reply.Succeeded);
        Assert.Equal((2, 2), (lost, gone));
        Assert.Empty(Grains.Model("m").Accusations);
    }

    /// <summary>Cut off from this process alone: Orleans ends its calls there after half a minute, and no membership finds it dead.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Infer_LostAndTheNextSiloDoesNotAnswer_GoesToAThirdWithinSeconds(bool isSilent)
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two, States.At(7))));
        var lost = 0;
        var asked = 0;
        var silent = new TaskCompletionSource();
        for (var number = 0; number < 3; number++)
        {
            var replica = Grains.Replica($"m/1/{number}");
            replica.Infer = (_, _) =>
            {
                if (++lost > 1)
                {
                    return Answer();
                }

                // Whichever is next does not answer; the one after it does.
                foreach (var other in Enumerable.Range(0, 3).Select(next => Grains.Replica($"m/1/{next}")))
                {
                    other.Reached = isSilent ? silent.Task : Task.CompletedTask;
                    other.Description = () => isSilent || ++asked > 1 ? null : throw new TimeoutException("Response did not arrive on time");
                }

                throw new SiloUnavailableException("the target silo became unavailable");
            };
        }

        var answer = InferAsync();
        if (isSilent)
        {
            Assert.False(answer.IsCompleted);
            foreach (var replica in Enumerable.Range(0, 3).Select(number => Grains.Replica($"m/1/{number}")))
            {
                replica.Reached = Task.CompletedTask;
            }

            Time.Advance(TimeSpan.FromSeconds(3));
        }

        var (reply, _) = await answer;
        Assert.True(reply.Succeeded);
        Assert.Equal(2, lost);
        Assert.True(IsGivenBack);
        Assert.Empty(Grains.Model("m").Accusations);
    }

    [Fact]
    public async Task Infer_SiloStops_IsUnavailableWithAHint()
    {
        Gateway.Health.IsAlone = true;
        Grains.Replica("m/1/0").Infer = (_, _) => throw new SiloUnavailableException("stopping");

        var (reply, _) = await InferAsync();

        Assert.Equal(Failure.Lost("the silo of a replica of model 'm' was lost, or cannot be reached"), reply.Failure);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_SiloLost_AnotherReplicaAnswers()
    {
        Published.Publish(States.Model("m", States.Placed(1, One, Two)));
        Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            Gateway.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };
        Grains.Replica("m/1/1").Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([9])));

        for (var i = 0; i < 20; i++)
        {
            var (reply, _, _) = await Gateway.Dispatcher
                .InferAsync(new InferCall("m", "", PayloadBuffer.CopyOf([1]), Protocol.Grpc, null) { Caller = Caller.Anyone }, default).AsTask().Soon();
            Assert.True(reply.Succeeded);
        }

        Assert.Single(Grains.Replica("m/1/0").Requests);
    }

    [Fact]
    public async Task Infer_OnlyReplicaOnALostSilo_WaitsUntilItIsLoadedElsewhere()
    {
        Published.Publish(States.Model("m", States.Placed(1, One)));
        Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            Gateway.Health.Unreachable.Add(One);
            throw new SiloUnavailableException("lost");
        };

        Grains.Replica("m/1/1").Infer = (_, _) => Answer();
        Grains.Model("m").Ensure = (_, _) =>
        {
            Published.Publish(States.Model("m", States.Ready(1, 1)));
            return Task.CompletedTask;
        };

        var answer = InferAsync();
        Assert.False(answer.IsCompleted);
        Assert.Empty(Grains.Model("m").Calls);
        Gateway.Health.Gone.Add(One);
        Gateway.Health.Change();

        Assert.True((await answer).Reply.Succeeded);
    }

    [Fact]
    public async Task Infer_SiloLostThatStillSeemsReachable_IsAskedUntilItIsGone()
    {
        Published.Publish(States.Model("m", States.Placed(1, One)));
        var replica = Grains.Replica("m/1/0");
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
            Gateway.Health.Change();
            await Task.Yield();
        }

        Assert.True((await answer).Reply.Succeeded);
        Assert.Equal(6, calls);
    }

    [Fact]
    public async Task Infer_LostAndNoGrainCanSayWhoHasIt_IsUnavailableAtOnce()
    {
        Published.Publish(States.Model("m", States.Placed(1, One)));
        Gateway.Health.Unreachable.Add(One);
        Gateway.Health.IsStoreReachable = false;

        var (reply, _) = await InferAsync();

        Assert.Equal(StatusCode.Unavailable, reply.Failure!.Code);
        Assert.NotNull(reply.Failure.RetryAfter);
        Assert.True(IsGivenBack);
    }

    [Fact]
    public async Task Infer_CallerGivesUpWhileNoSiloHasAReplica_GivesTheMessageBack()
    {
        using var giveUp = new CancellationTokenSource();
        Published.Publish(States.Model("m", States.Placed(1, One)));
        Gateway.Health.Unreachable.Add(One);

        var answer = InferAsync(cancellationToken: giveUp.Token);
        Assert.False(answer.IsCompleted);
        await giveUp.CancelAsync();

        Assert.Equal(StatusCode.Cancelled, (await answer).Reply.Failure!.Code);
        Assert.True(IsGivenBack);
    }
}
