using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Silo.Clustering;
using Orleans.Metadata;
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
        var filter = new RejectionFilter(manifests);
        var call = new FakeCall(Task.CompletedTask);

        var thrown = await Assert.ThrowsAsync<SiloUnavailableException>(() => filter.Invoke(call));
        Assert.NotNull(thrown.InnerException);
        manifests.Tell(ClusterGrains.ReplicaType);

        await filter.Invoke(call);
    }

    private static RejectionFilter Filter()
    {
        var manifests = new Manifests();
        manifests.Tell(ClusterGrains.ReplicaType);
        return new RejectionFilter(manifests);
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
