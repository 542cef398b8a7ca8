using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>One server for each test.</summary>
public abstract class RestServer : IAsyncLifetime
{
    private RestHost? _host;

    private protected RestHost Host => _host!;

    public async ValueTask InitializeAsync() => _host = await RestHost.StartAsync();

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
