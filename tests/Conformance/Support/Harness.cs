using Cluster.Conformance.Clients;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Support;

/// <summary>A server and both clients.</summary>
internal sealed class Harness : IAsyncDisposable
{
    private readonly ClientDriver _python;
    private readonly ClientDriver? _node;

    private Harness(ServerProcess server, ClientDriver python, ClientDriver? node)
    {
        Server = server;
        _python = python;
        _node = node;
    }

    public ServerProcess Server { get; }

    public static async Task<Harness> StartAsync(params string[] arguments)
    {
        var (server, python, node) = (ServerProcess.StartAsync(arguments), ClientDriver.StartPythonAsync(), ClientDriver.StartNodeAsync());
        try
        {
            await Task.WhenAll(server, python, node);
            return new Harness(await server, await python, await node);
        }
        catch
        {
            await (server.IsCompletedSuccessfully ? (await server).DisposeAsync() : ValueTask.CompletedTask);
            await (python.IsCompletedSuccessfully ? (await python).DisposeAsync() : ValueTask.CompletedTask);
            await (node.IsCompletedSuccessfully ? (await node)?.DisposeAsync() ?? ValueTask.CompletedTask : ValueTask.CompletedTask);
            throw;
        }
    }

    /// <summary>A client; skips the test where it cannot run.</summary>
    /// <param name="name"><c>python</c> or <c>node</c>.</param>
    public ClientDriver Client(string name)
    {
        if (name == "python")
        {
            return _python;
        }

        Requires.Node();
        return _node!;
    }

    public async ValueTask DisposeAsync()
    {
        await _python.DisposeAsync();
        await (_node?.DisposeAsync() ?? ValueTask.CompletedTask);
        await Server.DisposeAsync();
    }
}
