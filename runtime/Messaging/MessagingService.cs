using Microsoft.Extensions.Hosting;

namespace Cluster.Runtime;

/// <summary>
/// Runs the network with its host. It listens before any service starts, so that a silo that announces itself can be reached, and says
/// goodbye after all have stopped, so that grains can call others while they end.
/// </summary>
internal sealed class MessagingService(PeerConnections connections, IClusterMembershipService membership) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private SiloListener? _listener;
    private ITimer? _keepAlive;
    private Task _following = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken)
    {
        var context = connections.Context;
        if (context.Role == PeerRole.Silo)
        {
            _listener = new SiloListener(connections);
            _listener.Start(context.Options.ListenEndpoint ?? context.Runtime.Options.AdvertisedEndpoint);
        }

        var interval = context.Options.KeepAliveInterval;
        _keepAlive = context.Time.CreateTimer(static state => ((PeerConnections)state!).KeepAlive(), connections, interval, interval);
        _following = FollowMembershipAsync();
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
        {
            await _listener.StopAsync().ConfigureAwait(false);
        }

        await connections.StopAsync(cancellationToken).ConfigureAwait(false);
        _keepAlive?.Dispose();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
    }

    public void Dispose()
    {
        _keepAlive?.Dispose();
        _listener?.Dispose();
        _stop.Dispose();
    }

    private async Task FollowMembershipAsync()
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(_stop.Token).ConfigureAwait(false))
            {
                connections.BuryDead(snapshot);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The process stops.
        }
    }
}
