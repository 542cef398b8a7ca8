using Orleans.Messaging;

namespace Cluster.Runtime;

/// <summary>Where silos listen for gateways; the last list while there is none, as after Redis came back without data: the silos are there still.</summary>
internal sealed class RememberedGateways(IGatewayListProvider inner) : IGatewayListProvider
{
    private IList<Uri> _last = [];

    public TimeSpan MaxStaleness => inner.MaxStaleness;

    [Obsolete("Orleans asks for it no more.")]
    public bool IsUpdatable => true;

    public Task InitializeGatewayListProvider() => inner.InitializeGatewayListProvider();

    public async Task<IList<Uri>> GetGateways()
    {
        var now = await inner.GetGateways().ConfigureAwait(false);
        return _last = now.Count > 0 ? now : _last;
    }
}
