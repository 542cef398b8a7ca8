using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;

namespace Cluster.Runtime;

/// <summary>
/// Silos at whose address nobody listens any more, though the membership has them still. Orleans' client tells that some connection broke, not which: all are tried
/// then. So a gateway sends to other copies at once, not when the silo is declared dead; and no call for a lost copy gets to a silo that would load it again.
/// </summary>
internal sealed class ClosedSilos(IClusterMembershipService membership, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(500);

    private readonly ConcurrentDictionary<SiloAddress, bool> _closed = new();
    private readonly SemaphoreSlim _wake = new(0, 1);

    public bool Contains(SiloAddress silo) => _closed.ContainsKey(silo);

    /// <summary>A connection broke.</summary>
    public void Look()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // A look is due anyway.
        }
    }

    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitAsync(stoppingToken).ConfigureAwait(false);
            var members = membership.CurrentSnapshot.Members;
            foreach (var gone in _closed.Keys.Where(silo => !members.TryGetValue(silo, out var member) || member.Status == SiloStatus.Dead).ToList())
            {
                _closed.TryRemove(gone, out _);
            }

            await Task.WhenAll(members.Values
                .Where(static member => member.Status is SiloStatus.Active or SiloStatus.ShuttingDown)
                .Select(member => TryAsync(member.SiloAddress, stoppingToken))).ConfigureAwait(false);
        }
    }

    /// <summary>Until a connection breaks; while a silo is closed, for a moment.</summary>
    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (_closed.IsEmpty)
        {
            await _wake.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var moment = new CancellationTokenSource(Again, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, moment.Token);
        await _wake.WaitAsync(either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task TryAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        if (await TcpProbe.ListensAsync(silo.Endpoint, cancellationToken).ConfigureAwait(false))
        {
            _closed.TryRemove(silo, out _);
        }
        else
        {
            _closed[silo] = true;
        }
    }
}
