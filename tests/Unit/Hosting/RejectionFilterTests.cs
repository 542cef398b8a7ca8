using Cluster.Contracts.Errors;
using Cluster.Silo.Clustering;
using Orleans.Runtime.Messaging;
using Xunit;

namespace Cluster.Unit.Hosting;

public sealed class RejectionFilterTests
{
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
