using Cluster.Contracts.Options;
using Cluster.Silo.Options;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Cluster.Unit.Cache;

public sealed class CacheCapacityTests
{
    [Theory]
    [InlineData("2GiB", 2L << 30)]
    [InlineData("512 MiB", 512L << 20)]
    [InlineData("1.5gib", 3L << 29)]
    [InlineData("2048KiB", 2L << 20)]
    [InlineData("1048576", 1L << 20)]
    [InlineData("1048576 bytes", 1L << 20)]
    [InlineData("1TiB", 1L << 40)]
    [InlineData("unlimited", long.MaxValue)]
    public void TryParse_Size_IsBytes(string text, long expected)
    {
        Assert.True(CacheCapacity.TryParse(text, out var bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2GB")]
    [InlineData("GiB")]
    [InlineData("-1GiB")]
    [InlineData("1e9")]
    [InlineData("2")]
    [InlineData("1,5GiB")]
    [InlineData("99999999999TiB")]
    public void TryParse_AnythingElse_IsAMistake(string text)
    {
        Assert.False(CacheCapacity.TryParse(text, out _));
        var mistake = Assert.Single(OptionSection.Check(new ConfigurationManager(), new ServeOptions { Capacity = text }));
        Assert.Equal("Cluster:Capacity", mistake.Key);
    }

    [Fact]
    public void Of_Nothing_IsTheDefaultShareOfTheLimit() =>
        Assert.Equal((long)(MemoryLimit.Read("/") * CacheCapacity.DefaultShare), CacheCapacity.Of(null));

    [Fact]
    public void MemoryLimit_GroupsOfVersion2_IsTheLeastUpToTheRoot() => Check(
        1L << 30,
        ("proc/self/cgroup", "0::/a/b"),
        ("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB"),
        ("sys/fs/cgroup/a/b/memory.max", "max"),
        ("sys/fs/cgroup/a/memory.max", "1073741824"),
        ("sys/fs/cgroup/memory.max", "2147483648"));

    [Fact]
    public void MemoryLimit_PathOfTheHostInAContainer_IsTheTreesOwn() => Check(
        3L << 30,
        ("proc/self/cgroup", "0::/../../system.slice/x"),
        ("proc/meminfo", "MemTotal:       16777216 kB"),
        ("sys/fs/cgroup/memory.max", "3221225472"));

    [Fact]
    public void MemoryLimit_GroupsOfVersion1_IsTheMemoryTrees() => Check(
        1L << 29,
        ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/y"),
        ("proc/meminfo", "MemTotal:       16777216 kB"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912"));

    [Fact]
    public void MemoryLimit_NoLimit_IsTheMachines() => Check(
        16L << 30, ("proc/self/cgroup", "0::/"), ("proc/meminfo", "MemTotal:       16777216 kB"));

    private static void Check(long expected, params (string Path, string Content)[] files)
    {
        var root = Directory.CreateTempSubdirectory("cluster-limits-");
        try
        {
            foreach (var (path, content) in files)
            {
                var file = Path.Combine(root.FullName, path);
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                File.WriteAllText(file, content);
            }

            Assert.Equal(expected, MemoryLimit.Read(root.FullName));
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }
}
