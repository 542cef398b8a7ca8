using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>The models that a config.json names. Read at each scan, parsed only when its bytes changed.</summary>
/// <param name="objects">Reads addresses of object storage; null where there is none.</param>
internal sealed class ConfigSource(string path, TimeProvider clock, RegisteredObjects? objects = null)
{
    private const int MaxSize = 16 * 1024 * 1024;
    private const int ListedAtOnce = 8;

    private readonly Lock _lock = new();
    private readonly string _path = Path.Combine(Environment.CurrentDirectory, path);
    private byte[]? _text;
    private string? _problem;
    private OvmsConfiguration? _configuration;
    private Dictionary<string, ConfiguredModelSource> _models = new(StringComparer.Ordinal);

    /// <summary>Lists the models in object storage. The next scan reports failures.</summary>
    /// <param name="model">The only model of interest; null for all.</param>
    public Task RefreshAsync(string? model, CancellationToken cancellationToken)
    {
        List<ConfiguredModelSource> wanted;
        lock (_lock)
        {
            Refresh();
            wanted = [.. _models.Where(known => model is null || known.Key == model).Select(static known => known.Value)];
        }

        return Parallel.ForEachAsync(
            wanted, new ParallelOptions { MaxDegreeOfParallelism = ListedAtOnce, CancellationToken = cancellationToken }, static async (source, token) => await source.RefreshAsync(token).ConfigureAwait(false));
    }

    /// <exception cref="RepositoryConfigurationException">The first scan finds no valid file.</exception>
    public SourceScan Scan()
    {
        lock (_lock)
        {
            return ScanLocked();
        }
    }

    private SourceScan ScanLocked()
    {
        if (Refresh() is { } problem && _configuration is null)
        {
            throw new RepositoryConfigurationException(problem);
        }

        var warnings = new List<string>(_configuration!.Warnings);
        var registrations = ImmutableArray.CreateBuilder<ModelRegistration>(_models.Count);
        foreach (var model in _configuration.Models)
        {
            registrations.Add(_models[model.Name].Scan(warnings));
        }

        return new SourceScan(registrations.DrainToImmutable(), _problem is null ? [] : [$"{_problem}; the last valid one stays"], [.. warnings]);
    }

    private string? Refresh()
    {
        try
        {
            // A pipe would block for ever.
            if (FileStat.Read(_path, followLinks: true) is not { Kind: FileKind.Regular } stat)
            {
                return Fail($"configuration file '{path}': there is no such file");
            }

            if (stat.Size > MaxSize)
            {
                return Fail($"configuration file '{path}' is larger than {MaxSize} bytes");
            }

            var text = File.ReadAllBytes(_path);
            return _text is not null && text.AsSpan().SequenceEqual(_text) ? _problem : Parse(text);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            return Fail($"configuration file '{path}' cannot be read: {IoReason.Of(exception)}");
        }
    }

    private string? Fail(string problem)
    {
        _text = null;
        return _problem = problem;
    }

    private string? Parse(byte[] text)
    {
        _text = text;
        var errors = new JsonErrors();
        if (OvmsConfigReader.Read(text, Path.GetDirectoryName(_path)!, errors) is not { } configuration)
        {
            return _problem = $"configuration file '{path}': {errors}";
        }

        // A model whose path stayed keeps what is known of its files, so that they are not read again.
        var previous = _models;
        _models = configuration.Models.ToDictionary(
            model => model.Name,
            model => previous.GetValueOrDefault(model.Name)?.Adopt(model) ?? new ConfiguredModelSource(model, clock, objects),
            StringComparer.Ordinal);
        _configuration = configuration;
        return _problem = null;
    }
}
