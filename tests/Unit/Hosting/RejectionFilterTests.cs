using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;
using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Grains;
using Orleans.Metadata;
using Orleans.Runtime.Messaging;
using Xunit;

namespace Cluster.Unit.Hosting;

public sealed class RejectionFilterTests
{
    private readonly FakeMembership _membership = new();
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Reject_WhatCannotBeDelivered_IsSiloUnavailable()
    {
        foreach (var exception in (Exception[])[new GatewayTooBusyException(), new ConnectionFailedException("it has ended"), new OrleansException("no silo for it")])
        {
            var thrown = await Assert.ThrowsAsync<SiloUnavailableException>(() => Filter().Invoke(new FakeCall(Task.FromException(exception))));
            Assert.Same(exception, thrown.InnerException);
        }
    }

    [Fact]
    public async Task Reject_WhatTheGrainThrows_StaysAsItIs()
    {
        foreach (var exception in (Exception[])[ServingException.InvalidArgument("no"), new TimeoutException(), new SiloUnavailableException("gone")])
        {
            Assert.Same(exception, await Record.ExceptionAsync(() => Filter().Invoke(new FakeCall(Task.FromException(exception)))));
        }
    }

    [Fact]
    public async Task Invoke_BeforeASiloHasToldOfItsGrains_IsNotDelivered()
    {
        var manifests = new Manifests();
        var filter = new RejectionFilter(manifests, _membership, _time);
        var call = new FakeCall(Task.CompletedTask);

        var thrown = await Assert.ThrowsAsync<SiloUnavailableException>(() => filter.Invoke(call));
        Assert.NotNull(thrown.InnerException);
        manifests.Tell(ClusterGrains.ReplicaType);

        await filter.Invoke(call);
    }

    /// <summary>Orleans ends a call with the silo that it was sent to, which need not be the one that it was forwarded to.</summary>
    [Fact]
    public async Task Invoke_SiloDiesAndTheCallGoesOn_IsLost()
    {
        var invoked = Filter().Invoke(new FakeCall(new TaskCompletionSource().Task, GrainId.Create(ClusterGrains.RegistryType, "26")));
        await LookAsync(invoked);
        Assert.False(invoked.IsCompleted);

        _membership.Set(Silos.A, SiloStatus.Dead);
        await LookAsync(invoked);

        Assert.Null((await Assert.ThrowsAsync<SiloUnavailableException>(() => invoked.Soon())).InnerException);
    }

    [Fact]
    public async Task Invoke_SiloDiesAndTheCallOfAModelGoesOn_IsAnswered()
    {
        var end = new TaskCompletionSource();
        var invoked = Filter().Invoke(new FakeCall(end.Task, GrainId.Create(ClusterGrains.ModelType, "m")));
        _membership.Set(Silos.A, SiloStatus.Dead);
        await LookAsync(invoked);

        end.SetResult();

        await invoked.Soon();
    }

    [Fact]
    public async Task Invoke_AnswerComesAMomentAfterASilosDeath_IsTheAnswer()
    {
        var end = new TaskCompletionSource();
        var invoked = Filter().Invoke(new FakeCall(end.Task, GrainId.Create(ClusterGrains.AliasType, "a")));
        _membership.Set(Silos.A, SiloStatus.Dead);
        _time.Advance(LostCalls.Look);

        end.SetResult();

        await invoked.Soon();
    }

    private async Task LookAsync(Task invoked)
    {
        for (var looks = 0; looks < 5 && await Task.WhenAny(invoked, Task.Delay(5)) != invoked; looks++)
        {
            _time.Advance(LostCalls.Look);
        }
    }

    private RejectionFilter Filter()
    {
        var manifests = new Manifests();
        manifests.Tell(ClusterGrains.ReplicaType);
        _membership.Set(Silos.A, SiloStatus.Active);
        return new RejectionFilter(manifests, _membership, _time);
    }

    /// <summary>What silos have told of their grain classes; nothing at first.</summary>
    private sealed class Manifests : IClusterManifestProvider
    {
        public ClusterManifest Current { get; private set; } =
            new(MajorMinorVersion.MinValue, ImmutableDictionary<SiloAddress, GrainManifest>.Empty);

        public IAsyncEnumerable<ClusterManifest> Updates => throw new NotSupportedException("no update is waited for");

        public GrainManifest LocalGrainManifest { get; } = Manifest();

        public void Tell(string type) => Current = new ClusterManifest(
            MajorMinorVersion.MinValue, ImmutableDictionary<SiloAddress, GrainManifest>.Empty.Add(SiloAddress.Zero, Manifest(type)));

        private static GrainManifest Manifest(params string[] types) => new(
            types.ToImmutableDictionary(GrainType.Create, static _ => new GrainProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal))),
            ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty);
    }
}
