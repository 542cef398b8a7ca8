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
        var server = await ServerProcess.StartAsync(arguments);
        ClientDriver? python = null;
        try
        {
            python = await ClientDriver.StartPythonAsync();
            return new Harness(server, python, await ClientDriver.StartNodeAsync());
        }
        catch
        {
            await (python?.DisposeAsync() ?? ValueTask.CompletedTask);
            await server.DisposeAsync();
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
