using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.OpenVino;

public sealed class CompiledGraphsTests : IDisposable
{
    private const int Blob = 1000;

    private readonly TempFolder _folder = new();
    private readonly InMemoryRegistrations _registrations = new();
    private readonly InMemoryServingStates _states = new();
    private readonly ManualTimeProvider _time = new();
    private readonly CompiledGraphs _graphs;

    public CompiledGraphsTests() => _graphs = new CompiledGraphs(new OpenVinoOptions { Cache = _folder["cache"], CacheBytes = 2 * Blob }, _registrations, _states, _time, NullLogger<CompiledGraphs>.Instance);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Use_SameContent_IsTheSameFolderForItsOwnerAlone()
    {
        Register("m", Source(1));

        var first = Load("m", Source(1));

        Assert.Equal(first, Load("m", Source(1)));
        Assert.NotEqual(first, Load("m", Source(1), new ProviderSettings { Precision = ExecutionPrecision.F16 }));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, new DirectoryInfo(first).UnixFileMode);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Use_FolderThatIsALinkOrThatOthersWrite_IsRefused(bool isLink)
    {
        var made = Directory.CreateDirectory(_folder["elsewhere"]);
        if (isLink)
        {
            Directory.CreateSymbolicLink(_folder["cache"], made.FullName);
        }
        else if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_folder["cache"]).UnixFileMode |= UnixFileMode.OtherWrite;
        }

        Assert.Throws<IOException>(() => Load("m", Source(1)));
    }

    /// <summary>Its owner could put a compiled graph there, which is run.</summary>
    [Fact]
    public void Use_FolderOfAnotherUser_IsRefused()
    {
        var graphs = new CompiledGraphs(new OpenVinoOptions { Cache = ForeignFolder.In(_folder) }, _registrations, _states, _time, NullLogger<CompiledGraphs>.Instance);

        var refused = Assert.Throws<IOException>(() => graphs.Use("m", Source(1), ProviderSettings.Default));

        Assert.Contains("another user's", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Use_MoreThanFits_RemovesWhatWasUsedLongestAgo()
    {
        Register("a", Source(1));
        Register("b", Source(1));
        Register("c", Source(1));
        var first = Load("a", Source(1));
        var second = Load("b", Source(1));
        Load("a", Source(1));

        Load("c", Source(1));

        Assert.True(Directory.Exists(first));
        Assert.False(Directory.Exists(second));
    }

    [Fact]
    public void Sweep_VersionOrContentThatIsGone_IsRemoved()
    {
        Register("m", Source(1), Source(2));
        var (one, two) = (Load("m", Source(1)), Load("m", Source(2)));
        Register("m", Source(2));

        _graphs.Sweep("m");

        Assert.False(Directory.Exists(one));
        Assert.True(Directory.Exists(two));
        Register("m", Source(2, "other"));
        _graphs.Sweep("m");
        Assert.False(Directory.Exists(two));
    }

    [Fact]
    public void Sweep_FolderThatALoadUses_Stays()
    {
        Register("m", Source(1));
        using var load = _graphs.Use("m", Source(1), ProviderSettings.Default);
        Register("m", Source(2));

        _graphs.Sweep("m");

        Assert.True(Directory.Exists(load.Folder));
    }

    /// <summary>No replica of it is here any more, whose end would tell.</summary>
    [Fact]
    public void States_ModelThatGoes_HasItsGraphsRemoved()
    {
        Register("m", Source(1));
        var folder = Load("m", Source(1));
        _states.Publish(new ModelServingState("m", [], "unloaded"));
        Assert.True(Directory.Exists(folder));
        Register("m");

        _states.Publish(new ModelServingState("m", [], null));

        Assert.True(SpinWait.SpinUntil(() => !Directory.Exists(folder), Wait.Limit));
    }

    /// <summary>Another silo has the same folder, and was quicker.</summary>
    [Fact]
    public void Use_FolderThatWasRemovedMeanwhile_EndsAsAnyOther()
    {
        Register("m", Source(1));
        var load = _graphs.Use("m", Source(1), ProviderSettings.Default);
        Directory.Delete(load.Folder);

        load.Dispose();

        Assert.True(Directory.Exists(Load("m", Source(1))));
    }

    private static ModelVersionSource Source(long version, string revision = "r") => new(version, "/m.onnx", revision);

    private string Load(string model, ModelVersionSource source, ProviderSettings? settings = null)
    {
        _time.Advance(TimeSpan.FromSeconds(10));
        using var load = _graphs.Use(model, source, settings ?? ProviderSettings.Default);
        File.WriteAllBytes(Path.Combine(load.Folder, "x.blob"), new byte[Blob]);
        return load.Folder;
    }

    private void Register(string model, params ModelVersionSource[] sources) => _registrations.Publish(new ModelRegistration { Name = model, Versions = [.. sources] });
}
