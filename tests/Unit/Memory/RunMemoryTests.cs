using Cluster.Grains.Memory;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Memory;

public sealed class RunMemoryTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly ManualTimeProvider _time = new();
    private readonly RunMemory _memory;
    private readonly List<long> _told = [];

    public RunMemoryTests()
    {
        _memory = new RunMemory(_time);
        _memory.Changed += _told.Add;
    }

    [Fact]
    public void Note_Growth_IsToldByEighths()
    {
        _memory.Note(800);
        _memory.Note(900);
        _memory.Note(901);
        _memory.Note(100);

        Assert.Equal([800, 901], _told);
        Assert.Equal(901, _memory.Peak);
    }

    [Fact]
    public void Note_Outlier_CountsForTwoWindowsAtMost()
    {
        _memory.Note(100);
        _memory.Note(10_000);
        _time.Advance(Window);
        _memory.Note(100);
        Assert.Equal(10_000, _memory.Peak);

        _time.Advance(Window);
        _memory.Note(100);

        Assert.Equal([100, 10_000, 100], _told);
    }

    [Fact]
    public void Note_AfterALongQuiet_ForgetsWhatWasBefore()
    {
        _memory.Note(10_000);
        _time.Advance(3 * Window);

        _memory.Note(100);

        Assert.Equal(100, _memory.Peak);
    }
}
