using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Repository;

/// <summary>Where models come from.</summary>
public interface IModelRepository
{
    /// <summary>Lists a remote repository, and scans then report that listing. Does nothing for folders. The next scan reports failures.</summary>
    /// <param name="model">The only model of interest; null for all.</param>
    Task RefreshAsync(string? model, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// What the repository holds now. Cheap when nothing changed: then the snapshot is the one returned last, the same instance.
    /// A model that did not change is the same instance in both snapshots. Safe to call from several threads; calls run one by one.
    /// </summary>
    /// <exception cref="RepositoryConfigurationException">
    /// Only from the first call: the repository or its configuration cannot be used. Later trouble is in
    /// <see cref="RepositorySnapshot.Problems"/>, and what was good before stays.
    /// </exception>
    RepositorySnapshot Scan();

    /// <summary>As <see cref="Scan()"/>, but looks only at one model's folder. Of the others it reports the last finding.</summary>
    RepositorySnapshot Scan(string model);
}

/// <summary>What a repository held at one moment.</summary>
/// <param name="Models">Every model by name, ordinal order; those that cannot be loaded too, with the reason.</param>
/// <param name="Problems">What is wrong with the repository as a whole: the root is gone, the configuration is invalid…</param>
/// <param name="Warnings">What was ignored or adapted; everything is served nevertheless.</param>
public sealed record RepositorySnapshot(
    ImmutableSortedDictionary<string, ModelRegistration> Models,
    ImmutableArray<string> Problems,
    ImmutableArray<string> Warnings);

/// <summary>The repository cannot be used at all, found by the first scan. The message is for the person who starts the process.</summary>
public sealed class RepositoryConfigurationException : Exception
{
    public RepositoryConfigurationException()
    {
    }

    public RepositoryConfigurationException(string message)
        : base(message)
    {
    }

    public RepositoryConfigurationException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>One of the places that a repository's models come from.</summary>
internal interface IModelSource
{
    /// <summary>Lists a remote source. The next scan reports failures.</summary>
    /// <param name="model">The only model of interest; null for all.</param>
    Task RefreshAsync(string? model, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <exception cref="RepositoryConfigurationException">The first scan finds no such place, or may not read it.</exception>
    SourceScan Scan();

    /// <summary>Looks at one model alone.</summary>
    SourceScan Scan(string name);
}

/// <summary>What one of the two sources of models holds.</summary>
internal sealed record SourceScan(
    ImmutableArray<ModelRegistration> Models,
    ImmutableArray<string> Problems,
    ImmutableArray<string> Warnings);

/// <summary>Where the models are. Either may be null, both may be given; then a name in <see cref="Config"/> wins.</summary>
public sealed class RepositoryOptions
{
    /// <summary>Folder with <c>&lt;name&gt;/&lt;version&gt;/&lt;file&gt;.onnx</c>; null for none.</summary>
    [SetBy("Cluster:Models")]
    public string? Models { get; set; }

    /// <summary>A config.json as OpenVINO Model Server reads it; null for none.</summary>
    [SetBy("Cluster:Config")]
    public string? Config { get; set; }
}
