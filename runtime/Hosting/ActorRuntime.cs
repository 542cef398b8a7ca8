using Cluster.Runtime.CodeGeneration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>The parts of the runtime in this process, as references and activations see them.</summary>
internal sealed class ActorRuntime : IGrainFactory
{
    public ActorRuntime(
        IServiceProvider services,
        IOptions<ActorRuntimeOptions> options,
        GrainManifest manifest,
        IGrainDirectory directory,
        IClusterMembershipService membership,
        ILocalSiloDetails silo,
        GrainLocator locator,
        RuntimeMetrics metrics,
        TimeProvider time,
        ILogger<ActorRuntime> logger,
        IMessageTransport? transport = null)
    {
        Services = services;
        Options = options.Value;
        Manifest = manifest;
        Directory = directory;
        Membership = membership;
        Silo = silo;
        Locator = locator;
        Metrics = metrics;
        Time = time;
        Logger = logger;
        Clock = new CoarseClock(time);
        Pending = new PendingCalls(time, Options.ResponseTimeout);
        Catalog = new Catalog(this);
        Router = new CallRouter(this, transport);
        metrics.Observe(Pending);
    }

    public IServiceProvider Services { get; }

    public ActorRuntimeOptions Options { get; }

    public GrainManifest Manifest { get; }

    public IGrainDirectory Directory { get; }

    public IClusterMembershipService Membership { get; }

    public ILocalSiloDetails Silo { get; }

    public GrainLocator Locator { get; }

    public RuntimeMetrics Metrics { get; }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public CoarseClock Clock { get; }

    public PendingCalls Pending { get; }

    public Catalog Catalog { get; }

    public CallRouter Router { get; }

    public TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null)
        where TGrainInterface : IGrainWithStringKey
    {
        ArgumentException.ThrowIfNullOrEmpty(primaryKey);
        var grainInterface = Manifest.GetInterface(typeof(TGrainInterface));
        return Create<TGrainInterface>(grainInterface, GrainId.Create(grainInterface.GetGrainType(grainClassNamePrefix), primaryKey));
    }

    public TGrainInterface GetGrain<TGrainInterface>(GrainId grainId)
        where TGrainInterface : IAddressable => Create<TGrainInterface>(Manifest.GetInterface(typeof(TGrainInterface)), grainId);

    private TGrainInterface Create<TGrainInterface>(GrainInterface grainInterface, GrainId grainId) =>
        (TGrainInterface)(object)grainInterface.CreateReference(new GrainReferenceSeed(this, grainId));
}
