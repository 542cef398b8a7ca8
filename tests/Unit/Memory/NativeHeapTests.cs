using System.Runtime.InteropServices;
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
    public unsafe void Freed_BlocksBetweenOthersThatStay_GoBackToTheSystem()
    {
        const int Count = 256 * 1024;
        const int Size = 1024;
        const int Stays = 1024;
        using var heap = new NativeHeap(_time);
        var blocks = new nint[Count];
        for (var i = 0; i < Count; i++)
        {
            blocks[i] = (nint)NativeMemory.Alloc(Size);
            new Span<byte>((void*)blocks[i], Size).Fill(1);
        }

        for (var i = 0; i < Count; i++)
        {
            if (i % Stays != Stays - 1)
            {
                NativeMemory.Free((void*)blocks[i]);
            }
        }

        var before = Environment.WorkingSet;
        heap.Freed();
        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.InRange(before - Environment.WorkingSet, Count * Size / 2, long.MaxValue);
        for (var i = Stays - 1; i < Count; i += Stays)
        {
            NativeMemory.Free((void*)blocks[i]);
        }
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
