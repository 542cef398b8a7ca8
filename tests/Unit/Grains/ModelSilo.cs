using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Registry;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using InnerStorage = Cluster.Grains.Storage.MemoryGrainStorage;

namespace Cluster.Unit.Grains;

/// <summary>The model grains on the actor runtime in this process, with real sessions, for one model.</summary>
internal sealed class ModelSilo : IAsyncDisposable
{
    public const string Model = "m";

    /// <summary>Event ids of errors that a load that fails logs: the runtime's, the load's, the old content's.</summary>
    private static readonly int[] LoadErrors = [1010, 2101, 2111];

    private readonly TestSilo _silo;

    private ModelSilo(TestSilo silo)
    {
        _silo = silo;
    }

    public TestSilo Silo => _silo;

    public IModelGrain Grain => _silo.Get<IModelGrain>(Model);

    public IServingStates States => _silo.Services.GetRequiredService<IServingStates>();

    /// <summary>Loads that failed so far.</summary>
    public int FailedLoads => _silo.LogSink.Entries.Count(entry => entry.Id == 2101);

    /// <param name="failing">Whether the test lets loads fail.</param>
    /// <param name="storage">Keeps the grains' states; one in memory if null.</param>
    public static async Task<ModelSilo> StartAsync(bool failing = false, IGrainStorage? storage = null)
    {
        var silo = await TestSilo.StartAsync(
            services => services
                .AddModelGrains(new InferenceOptions { Threads = 4 })
                .AddSingleton<IRegistrations, InMemoryRegistrations>()
                .AddSingleton<IServingStates, InMemoryServingStates>()
                .AddKeyedSingleton(ModelGrains.StorageName, storage ?? new InnerStorage()));
        if (failing)
        {
            silo.ExpectedErrors.UnionWith(LoadErrors);
        }

        return new ModelSilo(silo);
    }

    /// <summary>A registration whose versions hold files of the tests' models; the file is the revision.</summary>
    public static ModelRegistration Registration(params (long Version, string File)[] versions) => new()
    {
        Name = Model,
        Versions = [.. versions.Select(version => new ModelVersionSource(
            version.Version, Path.Combine(TestPaths.TestModels, version.File, "model.onnx"), version.File))],
        SettingsRevision = "s1",
    };

    public IModelReplicaGrain Replica(long version, int number) => _silo.Get<IModelReplicaGrain>(IdOf(version, number).ToString());

    public ModelReplicaId IdOf(long version, int number) =>
        new(Model, version, number, _silo.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress);

    /// <summary>Numbers of the replicas that serve.</summary>
    public IEnumerable<int> Serving(long version) => Version(version).Replicas.Select(replica => replica.Number);

    public Task ApplyAsync(ModelRegistration registration, bool retryFailed = false) =>
        Grain.ApplyAsync(registration, retryFailed, CancellationToken.None).AsTask().Soon("the registration's being carried out");

    public VersionServingState Version(long version)
    {
        Assert.True(States.TryGet(Model, out var state));
        return Assert.Single(state.Versions, candidate => candidate.Version == version);
    }

    /// <summary>Asks a replica of one of the "multi" models for 10 + its number.</summary>
    public async Task<float> AskAsync(long version, int number) => Number(await SendAsync(version, number, TenRequest()).Soon());

    public Task<InferReply> SendAsync(long version, int number, ModelInferRequest request) => Replica(version, number)
        .InferAsync(new InferRequest { Message = PayloadBuffer.CopyOf(request.ToByteArray()) }, CancellationToken.None)
        .AsTask();

    public static ModelInferRequest TenRequest() => OnnxBench.Raw(("INPUT0", "FP32", [1], OnnxBench.Bytes(10f)));

    public static float Number(InferReply reply)
    {
        Assert.Null(reply.Failure);
        return OnnxBench.Values<float>(ModelInferResponse.Parser.ParseFrom(reply.Message!.Span).RawOutputContents[0])[0];
    }

    /// <summary>The refusal of a replica that is not loaded.</summary>
    public async Task<Failure> RefuseAsync(long version, int number) =>
        (await SendAsync(version, number, TenRequest()).Soon()).Failure ?? throw new InvalidOperationException("it answered");

    public ValueTask DisposeAsync() => _silo.DisposeAsync();
}
