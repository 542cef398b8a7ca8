using Cluster.Conformance.Clients;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>A server with every test model, and both clients.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    private readonly ModelFolder _models = ModelFolder.Create();
    private ServerProcess? _server;
    private ClientDriver? _python;
    private ClientDriver? _node;

    public ServerProcess Server => _server!;

    /// <summary>Where the server looks for models.</summary>
    public ModelFolder Models => _models;

    /// <param name="name"><c>python</c> or <c>node</c>.</param>
    public ClientDriver Client(string name) => name == "python" ? _python! : _node!;

    public async Task InitializeAsync()
    {
        ConformanceModels.AddTo(_models);
        var python = ClientDriver.StartPythonAsync();
        var node = ClientDriver.StartNodeAsync();
        _server = await ServerProcess.StartAsync("--models", _models.Path, "--poll-seconds", "0");
        _python = await python;
        _node = await node;
    }

    public async Task DisposeAsync()
    {
        await (_python?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_node?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_server?.DisposeAsync() ?? ValueTask.CompletedTask);
        _models.Dispose();
    }
}
