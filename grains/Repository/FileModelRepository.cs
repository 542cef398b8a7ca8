using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository.Ovms;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Repository;

/// <summary>
/// Models in folders or object storage, models named by a config.json, or both. Reads stats at each scan and content only when a stat changed.
/// docs/model-repository.md lists the files that are read and those that are refused.
/// </summary>
public sealed class FileModelRepository : IModelRepository
{
    private readonly Lock _lock = new();
    private readonly ConfigSource? _config;
    private readonly IModelSource? _folder;
    private readonly RepositoryLog _log;
    private RepositorySnapshot? _last;

    public FileModelRepository(RepositoryOptions options, ILogger<FileModelRepository> logger, TimeProvider clock)
        : this(options, logger, clock, options.Models is { } models ? new FolderSource(models, clock) : null)
    {
    }

    /// <param name="models">Where models are beside those of the configuration; null for nowhere.</param>
    /// <param name="objects">Reads addresses of the configuration; null where there is no object storage.</param>
    internal FileModelRepository(RepositoryOptions options, ILogger<FileModelRepository> logger, TimeProvider clock, IModelSource? models, RegisteredObjects? objects = null)
    {
        _config = options.Config is { } config ? new ConfigSource(config, clock, objects) : null;
        _folder = models;
        _log = new RepositoryLog(logger);
    }

    /// <inheritdoc/>
    public Task RefreshAsync(string? model, CancellationToken cancellationToken) => Task.WhenAll(
        _folder?.RefreshAsync(model, cancellationToken) ?? Task.CompletedTask, _config?.RefreshAsync(model, cancellationToken) ?? Task.CompletedTask);

    /// <inheritdoc/>
    public RepositorySnapshot Scan() => Read(null);

    /// <inheritdoc/>
    public RepositorySnapshot Scan(string model) => Read(model);

    private RepositorySnapshot Read(string? only)
    {
        lock (_lock)
        {
            var snapshot = Merge(_config?.Scan(), only is null ? _folder?.Scan() : _folder?.Scan(only));
            if (_last is { } last && IsSame(last, snapshot))
            {
                return last;
            }

            _log.Report(snapshot);
            return _last = snapshot;
        }
    }

    private static RepositorySnapshot Merge(SourceScan? config, SourceScan? folder)
    {
        var models = ImmutableSortedDictionary.CreateBuilder<string, ModelRegistration>(StringComparer.Ordinal);
        foreach (var model in config?.Models ?? [])
        {
            models.Add(model.Name, model);
        }

        var warnings = ImmutableArray.CreateBuilder<string>();
        foreach (var model in folder?.Models ?? [])
        {
            if (!models.TryAdd(model.Name, model))
            {
                warnings.Add($"model '{model.Name}': its folder is ignored, the configuration file names a model so");
            }
        }

        return new RepositorySnapshot(
            models.ToImmutable(),
            [.. config?.Problems ?? [], .. folder?.Problems ?? []],
            [.. config?.Warnings ?? [], .. folder?.Warnings ?? [], .. warnings]);
    }

    private static bool IsSame(RepositorySnapshot left, RepositorySnapshot right) =>
        left.Models.Count == right.Models.Count
        && left.Models.Values.SequenceEqual(right.Models.Values, ReferenceEqualityComparer.Instance)
        && left.Problems.SequenceEqual(right.Problems)
        && left.Warnings.SequenceEqual(right.Warnings);
}
