using Cluster.Contracts.Buffers;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Gateway.ModelMesh;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Cluster.Grains;
using Cluster.Grains.Aliases;
using Cluster.Grains.Cluster;
using Cluster.Grains.Registry;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Grains;
using Cluster.Unit.Hosting;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Registry;

/// <summary>
/// Registry, aliases and models on the actor runtime in this process, with real sessions, and the gateway's half of it. The folder of registered models
/// holds v1, v2 and v3, which add their number, and bad, which does not load.
/// </summary>
internal sealed class RegistrySilo : IAsyncDisposable
{
    /// <summary>A load that fails: the runtime's error, the replica's, and the model's.</summary>
    private static readonly int[] LoadErrors = [1010, 2101, 2112];

    private readonly TestSilo _silo;
    private readonly ModelFolder _folder;
    private readonly bool _ownsFolder;

    private RegistrySilo(TestSilo silo, ModelFolder folder, bool ownsFolder)
    {
        _silo = silo;
        _folder = folder;
        _ownsFolder = ownsFolder;
        silo.ExpectedErrors.UnionWith(LoadErrors);
    }

    public TestSilo Silo => _silo;

    public ModelFolder Folder => _folder;

    public ManagedModels Models => Get<ManagedModels>();

    public ManagedAliases Aliases => Get<ManagedAliases>();

    public IServingStates States => Get<IServingStates>();

    public IAliases AliasTable => Get<IAliases>();

    /// <summary>What another silo needs to find what this one stored.</summary>
    public RefusingStorage Storage => (RefusingStorage)_silo.Services.GetRequiredKeyedService<IGrainStorage>(ModelGrains.StorageName);

    /// <param name="before">The silo whose storage and folder this one takes over.</param>
    /// <param name="root">Whether models can be registered at all.</param>
    public static async Task<RegistrySilo> StartAsync(RegistrySilo? before = null, bool root = true)
    {
        var folder = before?._folder ?? Fill(ModelFolder.Create());
        var silo = await TestSilo.StartAsync(
            services =>
            {
                services
                    .AddModelGrains(new InferenceOptions { Threads = 4 })
                    .AddSingleton(new RegistryOptions { Root = root ? folder.Path : null })
                    .AddModelRegistry()
                    .AddSingleton<ControllerDuty>()
                    .AddHostedService<AliasTransitions>()
                    .AddSingleton<IRegistrations, InMemoryRegistrations>()
                    .AddSingleton<IServingStates, InMemoryServingStates>()
                    .AddSingleton(new TrafficOptions())
                    .AddSingleton<LostCalls>()
                    .AddSingleton<IOutgoingGrainCallFilter>(static provider => provider.GetRequiredService<LostCalls>())
                    .AddModelRouting()
                    .AddSingleton<ManagedModels>()
                    .AddSingleton<ManagedAliases>();
                services.AddKeyedSingleton<IGrainStorage>(ModelGrains.StorageName, before?.Storage ?? new RefusingStorage());
            });

        silo.Services.GetRequiredService<ControllerDuty>().Begin();

        // It follows the states from its construction on.
        silo.Services.GetRequiredService<RouteTable>();
        return new RegistrySilo(silo, folder, before is null);
    }

    public T Get<T>()
        where T : notnull => _silo.Services.GetRequiredService<T>();

    public IRegistryGrain Registry(string model) => _silo.Get<IRegistryGrain>(RegistryShards.Of(model));

    public IAliasGrain Alias(string alias) => _silo.Get<IAliasGrain>(alias);

    public static RegisteredInfo Info(string path, string type = "onnx", string key = "") => new(type, path, key);

    public Task<ModelStatusInfo> RegisterAsync(string model, string path, bool loadNow = false, bool sync = false, string key = "", string type = "onnx") =>
        Models.RegisterAsync(model, Info(path, type, key), loadNow, sync, CancellationToken.None).Soon();

    public Task<VModelStatusInfo> SetAsync(string alias, string target, string? path = null, AliasChange? change = null, bool loadNow = false, bool sync = true) =>
        Aliases.SetAsync(
            alias,
            (change ?? new AliasChange { Target = target }) with { Target = target, Info = path is null ? null : Info(path) },
            loadNow,
            sync,
            CancellationToken.None).Soon();

    public async Task<string> StatusAsync(string model) => (await Models.GetStatusAsync(model).Soon()).Status.ToString();

    /// <summary>Asks for 10 + the number of the model that answers, as a gateway would.</summary>
    public async Task<float> AskAsync(string name, ModelHeader header = default) => ModelSilo.Number((await SendAsync(name, header)).Reply);

    public async Task<DispatchedReply> SendAsync(string name, ModelHeader header = default)
    {
        var target = Get<ModelNames>().Resolve(name, header);
        var message = PayloadBuffer.CopyOf(ModelSilo.TenRequest().ToByteArray());
        var call = new InferCall(target.Model, "", message, Protocol.Grpc, null) { Alias = target.Alias, Caller = Caller.Anyone };
        return target.Ticket is { } ticket
            ? await Get<TrafficRouter>().InferAsync(call, ticket, CancellationToken.None).AsTask().Soon()
            : await Get<InferenceDispatcher>().InferAsync(call, CancellationToken.None).AsTask().Soon();
    }

    /// <summary>The name that the answer gives.</summary>
    public async Task<string> AnsweredByAsync(string name, ModelHeader header = default)
    {
        var (reply, _, _) = await SendAsync(name, header);
        Assert.Null(reply.Failure);
        return ModelInferResponse.Parser.ParseFrom(reply.Message!.Span).ModelName;
    }

    /// <summary>Serves a model of the repository, as its watcher would.</summary>
    public Task ServeFromRepositoryAsync(string model, int number) => _silo.Get<IModelGrain>(model)
        .ApplyAsync(ModelSilo.Registration((1, $"multi/{number}")) with { Name = model }, retryFailed: false, CancellationToken.None)
        .AsTask()
        .Soon();

    /// <summary>Waits until an alias is as described.</summary>
    public async Task UntilAsync(string alias, Func<AliasState, bool> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        AliasTable.Changed += Look;
        Look(alias);
        await reached.Task.Soon($"alias {alias}");
        AliasTable.Changed -= Look;

        void Look(string changed)
        {
            if (AliasTable.TryGet(alias, out var state) && condition(state))
            {
                reached.TrySetResult();
            }
        }
    }

    /// <summary>Puts a file that loads in the place of the one that does not.</summary>
    public void MendBad() => _folder.AddVersion("bad", 1, TestFile(3));

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        if (_ownsFolder)
        {
            _folder.Dispose();
        }
    }

    private static ModelFolder Fill(ModelFolder folder)
    {
        for (var number = 1; number <= 3; number++)
        {
            folder.AddVersion($"v{number}", 1, TestFile(number));
        }

        return folder.AddVersion("bad", 1, Path.Combine(TestPaths.TestModels, "broken", "1", "model.onnx"));
    }

    private static string TestFile(int number) => Path.Combine(TestPaths.TestModels, "multi", $"{number}", "model.onnx");
}

/// <summary>Loses calls as if the silo that had them had died.</summary>
internal sealed class LostCalls : IOutgoingGrainCallFilter
{
    private int _left;

    /// <summary>Calls of <see cref="Method"/> that are lost yet.</summary>
    public int Left
    {
        get => Volatile.Read(ref _left);
        set => Volatile.Write(ref _left, value);
    }

    public string Method { get; set; } = "";

    public Task Invoke(IOutgoingGrainCallContext context) =>
        context.MethodName == Method && Interlocked.Decrement(ref _left) >= 0
            ? Task.FromException(new SiloUnavailableException("the silo that had the call was lost"))
            : context.Invoke();
}
