using System.Collections.Immutable;
using System.Net;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Routing;
using Cluster.Tests.Common;
using Orleans.Metadata;
using Xunit;

namespace Cluster.Unit.Serving;

public sealed class ClusterCallsTests : IDisposable
{
    private static readonly SiloAddress A = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress B = SiloAddress.New(IPAddress.Loopback, 2, 1);

    private readonly FakeHealth _health = new() { Silos = [A, B] };
    private readonly Routing _routing;
    private readonly FakeCluster _a = new();
    private readonly FakeCluster _b = new();

    public ClusterCallsTests()
    {
        _routing = new Routing(_health);
        _routing.Grains.Clusters.Add($"cluster-view/{A.ToParsableString()}", _a);
        _routing.Grains.Clusters.Add($"cluster-view/{B.ToParsableString()}", _b);
    }

    public void Dispose() => _routing.Dispose();

    [Fact]
    public async Task Ask_SiloThatAnswers_IsAskedAlone()
    {
        _a.Answer("a");

        Assert.Equal("a", await AskAsync());
        Assert.Equal((1, 0), (_a.Calls, _b.Calls));
    }

    [Fact]
    public async Task Ask_SiloThatHangs_IsAnsweredByAnotherWhichIsAskedFirstFromThenOn()
    {
        var asking = AskAsync();
        Assert.Equal((1, 0), (_a.Calls, _b.Calls));

        _b.Answer("b");
        _routing.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("b", await asking);
        Assert.Equal("b", await AskAsync());
        Assert.Equal((1, 2), (_a.Calls, _b.Calls));
    }

    [Fact]
    public async Task Ask_LateAnswerOfTheFirst_IsTaken()
    {
        var asking = AskAsync();
        _routing.Time.Advance(TimeSpan.FromSeconds(1));
        _a.Answer("a");

        Assert.Equal("a", await asking);
    }

    [Fact]
    public async Task Ask_SiloThatIsLost_IsAnsweredByAnotherAtOnce()
    {
        _a.Fail(new SiloUnavailableException("lost"));
        _b.Answer("b");

        Assert.Equal("b", await AskAsync());
    }

    [Fact]
    public async Task Ask_SilosOfAVersionBefore_IsAnsweredByTheGrainOfTheirs()
    {
        var former = new FakeCluster();
        _routing.Grains.Clusters.Add($"cluster/{A.ToParsableString()}", former);
        former.Answer("former");
        var cluster = new ClusterCalls(_routing.Grains, _routing.Control, _health, _routing.Time, new Manifests((A, "cluster"), (B, "cluster-view")));

        Assert.Equal("former", (await cluster.AskAsync(static grain => grain.DescribeAsync(), CancellationToken.None).AsTask().Soon()).Id);
        Assert.Equal((0, 0), (_a.Calls, _b.Calls));
        _health.Silos = [B];
        _b.Answer("b");
        Assert.Equal("b", (await cluster.AskAsync(static grain => grain.DescribeAsync(), CancellationToken.None).AsTask().Soon()).Id);
    }

    [Fact]
    public async Task Ask_AllSilosFail_TellsTheFailure()
    {
        _a.Fail(ServingException.InvalidArgument("not so"));
        _b.Fail(ServingException.InvalidArgument("not so either"));

        var exception = await Assert.ThrowsAsync<ServingException>(AskAsync);

        Assert.Equal("not so either", exception.Failure.Message);
    }

    [Fact]
    public async Task Ask_NoSiloAndNoStore_IsUnavailable()
    {
        _health.Silos = [];
        _health.IsStoreReachable = false;

        var exception = await Assert.ThrowsAsync<ServingException>(AskAsync);

        Assert.Equal(StatusCode.Unavailable, exception.Failure.Code);
    }

    [Fact]
    public async Task Ask_CallerThatGivesUp_IsNotAnswered()
    {
        using var caller = new CancellationTokenSource();
        var asking = _routing.Cluster.AskAsync(static grain => grain.DescribeAsync(), caller.Token).AsTask();
        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking.Soon());
    }

    [Fact]
    public async Task Run_SiloThatTakesLong_IsWaitedFor()
    {
        var running = _routing.Cluster.RunAsync(static grain => grain.ReloadRepositoryAsync(CancellationToken.None), CancellationToken.None).AsTask();
        _routing.Time.Advance(TimeSpan.FromMinutes(1));
        _a.Answer("a");

        Assert.Equal(["a"], await running.Soon());
        Assert.Equal(0, _b.Calls);
    }

    private async Task<string> AskAsync() =>
        (await _routing.Cluster.AskAsync(static grain => grain.DescribeAsync(), CancellationToken.None).AsTask().Soon()).Id;

    /// <summary>Silos with a grain type each.</summary>
    private sealed class Manifests(params (SiloAddress Silo, string Type)[] silos) : IClusterManifestProvider
    {
        public ClusterManifest Current { get; } = new(MajorMinorVersion.Zero, silos.ToImmutableDictionary(
            static silo => silo.Silo,
            static silo => new GrainManifest(
                ImmutableDictionary<GrainType, GrainProperties>.Empty.Add(GrainType.Create(silo.Type), new GrainProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal))),
                ImmutableDictionary<GrainInterfaceType, GrainInterfaceProperties>.Empty)));

        public IAsyncEnumerable<ClusterManifest> Updates => throw new NotSupportedException();

        public GrainManifest LocalGrainManifest => throw new NotSupportedException();
    }
}
