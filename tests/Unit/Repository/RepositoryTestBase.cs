using Cluster.Contracts.Models;
using Cluster.Grains.Repository;
using Microsoft.Extensions.Logging.Testing;
using Xunit;

namespace Cluster.Unit.Repository;

public abstract class RepositoryTestBase : IDisposable
{
    private readonly TempFolder _folder = new();

    internal TempFolder Models => _folder;

    internal FakeLogger<FileModelRepository> Logged { get; } = new();

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    internal FileModelRepository Open(string? models = null, string? config = null) =>
        new(new RepositoryOptions { Models = models ?? Models.Path, Config = config }, Logged, FixedClock.Late);

    internal static ModelVersionSource Only(RepositorySnapshot snapshot, string model = "m") => Assert.Single(snapshot.Models[model].Versions);

    internal static string ProblemOf(RepositorySnapshot snapshot, string model = "m") => Assert.IsType<string>(Only(snapshot, model).Problem);
}
