using Cluster.Conformance.Clients;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>A server with every test model, and both clients.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private Harness? _harness;

    public ServerProcess Server => _harness!.Server;

    /// <summary>Where the server looks for models, when it is asked to.</summary>
    public ModelFolder Models { get; } = ModelFolder.Create();

    /// <param name="name"><c>python</c> or <c>node</c>.</param>
    public ClientDriver Client(string name) => _harness!.Client(name);

    public async ValueTask InitializeAsync()
    {
        ConformanceModels.AddTo(Models);
        _harness = await Harness.StartAsync("--models", Models.Path, "--poll-seconds", "0");
    }

    public async ValueTask DisposeAsync()
    {
        await (_harness?.DisposeAsync() ?? ValueTask.CompletedTask);
        Models.Dispose();
    }
}
