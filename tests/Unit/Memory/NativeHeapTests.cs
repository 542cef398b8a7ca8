using Cluster.Grains.Memory;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Memory;

public sealed class NativeHeapTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Freed_SeveralTimes_IsGivenBackOnceLater()
    {
        var given = 0;
        using var heap = new NativeHeap(_time, () => given++);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, given);

        heap.Freed();
        heap.Freed();
        _time.Advance(TimeSpan.FromMilliseconds(9_999));
        Assert.Equal(0, given);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, given);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, given);
    }

    [Fact]
    public void Freed_WhileItIsGivenBack_IsDueAgain()
    {
        var given = 0;
        NativeHeap? heap = null;
        heap = new NativeHeap(_time, () =>
        {
            if (++given == 1)
            {
                heap!.Freed();
            }
        });

        heap.Freed();
        _time.Advance(TimeSpan.FromSeconds(10));
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(2, given);
        heap.Dispose();
    }
}
