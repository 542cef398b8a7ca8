using Cluster.Contracts.Buffers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Whether a test's buffers all go back to the pool.</summary>
internal sealed class Buffers
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly long _before = PayloadBuffer.Outstanding;

    /// <summary>Waits until no more are held than at the beginning.</summary>
    public async Task AllBackAsync()
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (PayloadBuffer.Outstanding > _before && !limit.IsCancellationRequested)
        {
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }

        Assert.Equal(_before, PayloadBuffer.Outstanding);
    }
}
