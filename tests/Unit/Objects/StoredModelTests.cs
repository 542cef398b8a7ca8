using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Objects;
using Cluster.Grains.Registry;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Cluster.Unit.Repository;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>A model's grain and a store that comes and goes.</summary>
public sealed class StoredModelTests : IDisposable
{
    private static readonly ObjectAddress Graph = new("models", "m/1/model.onnx");

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Load_WhileTheStoreIsAway_FailsWithTheReasonAndIsTriedAgain()
    {
        var content = await File.ReadAllBytesAsync(Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), TestContext.Current.CancellationToken);
        var store = new OneObject(content) { IsAway = true };
        await using var silo = await TestSilo.StartAsync(services => services
            .AddSingleton<IObjectStore>(store)
            .Configure<ObjectStorageOptions>(options => (options.MaxTries, options.Cache, options.Sources) = (1, _folder["cache"], _folder.Write("storage.json", """{ "a": { "bucket": "models" } }""")))
            .AddModelGrains(new InferenceOptions { Threads = 2 })
            .AddSingleton<IRegistrations, InMemoryRegistrations>()
            .AddSingleton<IServingStates, InMemoryServingStates>()
            .AddKeyedSingleton<IGrainStorage>(ModelGrains.StorageName, new Cluster.Grains.Storage.MemoryGrainStorage()));
        silo.ExpectedErrors.UnionWith([2101]);
        var listing = VersionObjects.Folder(Graph.Parent, [store.Item with { Key = "model.onnx" }], "1");
        var registration = new ModelRegistration
        {
            Name = "m",
            Versions = [new ModelVersionSource(1, Graph.ToString(), VersionObjects.Revision(listing.Files)) { Bytes = content.Length }],
            SettingsRevision = "s",
        };

        await silo.Get<IModelGrain>("m").ApplyAsync(registration, retryFailed: false, CancellationToken.None).AsTask().Soon();

        var states = silo.Services.GetRequiredService<IServingStates>();
        Assert.True(states.TryGet("m", out var failed));
        Assert.Equal((ModelVersionState.Unavailable, "the store is away"), (failed.Versions[0].State, failed.Versions[0].Reason));

        store.IsAway = false;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watching = new Timer(_ => Look(), null, TimeSpan.Zero, TimeSpan.FromMilliseconds(20));
        silo.Time.Advance(TimeSpan.FromSeconds(6));
        await ready.Task.Soon();

        void Look()
        {
            if (states.TryGet("m", out var now) && now.Versions[0].State == ModelVersionState.Ready)
            {
                ready.TrySetResult();
            }
        }
    }

    /// <summary>A store with one object.</summary>
    private sealed class OneObject(byte[] content) : IObjectStore
    {
        public volatile bool IsAway;

        public StoredObject Item { get; } = new(Graph.Key, content.Length, "tag");

        public Task<ObjectPage> ListAsync(StorageSource source, ObjectAddress address, string? after, CancellationToken cancellationToken) => Answer(new ObjectPage([Item], null));

        public Task<ObjectFacts> DescribeAsync(StorageSource source, ObjectAddress address, string etag, CancellationToken cancellationToken) => Answer(new ObjectFacts(Item.Size, Item.ETag, []));

        public Task<Stream> OpenAsync(StorageSource source, ObjectAddress address, string etag, long offset, long length, CancellationToken cancellationToken) =>
            Answer<Stream>(new MemoryStream(content, (int)offset, (int)length));

        private Task<T> Answer<T>(T answer) => IsAway ? Task.FromException<T>(new ObjectStoreException(StoreFailure.Away, "the store is away")) : Task.FromResult(answer);
    }
}
