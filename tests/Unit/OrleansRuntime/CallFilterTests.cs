using Cluster.Contracts.Errors;
using Cluster.Tests.Common;
using Orleans.Runtime.Messaging;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class CallFilterTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LostCalls _calls;
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CallFilterTests() => _calls = new LostCalls(_time);

    public void Dispose() => _calls.Dispose();

    [Fact]
    public async Task Invoke_Answered_Ends()
    {
        var call = _calls.Invoke(new FakeCall(_answer.Task));
        Assert.False(call.IsCompleted);

        _answer.SetResult();

        await call.Soon();
    }

    [Fact]
    public async Task Invoke_SiloLostMeanwhile_FailsAtOnce()
    {
        var call = _calls.Invoke(new FakeCall(_answer.Task));

        _calls.Fail();

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
    }

    /// <summary>One loss is told of in several ways.</summary>
    [Fact]
    public async Task Invoke_LossToldOfTwice_FailsForTheSecondOnlyAfterAPause()
    {
        _calls.Fail();
        var call = _calls.Invoke(new FakeCall(_answer.Task));
        _calls.Fail();
        Assert.False(call.IsCompleted);

        _time.Advance(LostCalls.Pause);

        await Assert.ThrowsAsync<SiloUnavailableException>(() => call.Soon());
    }

    [Fact]
    public async Task Invoke_AfterALoss_WaitsForItsAnswer()
    {
        _calls.Fail();
        var call = _calls.Invoke(new FakeCall(_answer.Task));
        Assert.False(call.IsCompleted);

        _answer.SetException(ServingException.InvalidArgument("no"));

        Assert.Equal("no", (await Assert.ThrowsAsync<ServingException>(() => call.Soon())).Message);
    }

    [Fact]
    public async Task Reject_WhatCannotBeDelivered_IsSiloUnavailable()
    {
        foreach (var exception in (Exception[])[new GatewayTooBusyException(), new ConnectionFailedException("it has ended"), new OrleansException("no silo for it")])
        {
            var thrown = await Assert.ThrowsAsync<SiloUnavailableException>(() => new RejectionFilter().Invoke(new FakeCall(Task.FromException(exception))));
            Assert.Same(exception, thrown.InnerException);
        }
    }

    [Fact]
    public async Task Reject_WhatTheGrainThrows_StaysAsItIs()
    {
        foreach (var exception in (Exception[])[ServingException.InvalidArgument("no"), new TimeoutException(), new SiloUnavailableException("gone")])
        {
            Assert.Same(exception, await Record.ExceptionAsync(() => new RejectionFilter().Invoke(new FakeCall(Task.FromException(exception)))));
        }
    }
}
