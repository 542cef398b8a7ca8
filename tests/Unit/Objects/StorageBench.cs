using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Objects.Downloads;
using Cluster.Grains.Trust;
using Cluster.Silo.Storage;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Cluster.Unit.Repository;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Objects;

/// <summary>A store on 127.0.0.1, and what a silo reads it with.</summary>
internal sealed class StorageBench : IAsyncDisposable
{
    public const string Bucket = "models";
    public const string Root = "s3://models/prod";

    private readonly TempFolder _folder = new();
    private readonly LogSink _log = new();
    private readonly LoggerFactory _loggers;
    private readonly List<IDisposable> _parts = [];

    private StorageBench(S3Server server)
    {
        Server = server;
        _loggers = new LoggerFactory([_log]);
        Options = new ObjectStorageOptions
        {
            Sources = WriteSources(_folder, server.Url),
            Cache = _folder["cache"],
            Region = S3Server.Region,
            PartMiB = 1,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaxRetryDelay = TimeSpan.FromMilliseconds(2),
        };
        Open();
    }

    public S3Server Server { get; }

    public ObjectStorageOptions Options { get; }

    public ModelTrustOptions Limits { get; } = new();

    public MetricsHost Metrics { get; } = new();

    public StorageSources Sources { get; private set; } = null!;

    public ObjectReader Reader { get; private set; } = null!;

    public VersionFetch Fetch { get; private set; } = null!;

    public ListingFile Listings { get; private set; } = null!;

    public string CacheFolder => Path.Combine(Options.Cache!, "0");

    public IReadOnlyList<string> Logged => [.. _log.Entries.Select(static entry => entry.Message)];

    public static async Task<StorageBench> StartAsync() => new(await S3Server.StartAsync());

    /// <summary>A file of sources with the one of this server, and its credentials in files beside it.</summary>
    public static string WriteSources(TempFolder folder, string url)
    {
        var source = new Dictionary<string, object>
        {
            ["type"] = "s3",
            ["bucket"] = Bucket,
            ["prefix"] = "prod",
            ["endpoint"] = url,
            ["region"] = S3Server.Region,
            ["path_style"] = true,
            ["access_key_file"] = folder.Write("access", S3Server.AccessKey),
            ["secret_key_file"] = folder.Write("secret", S3Server.SecretKey + "\n"),
        };
        return folder.Write("storage.json", JsonSerializer.Serialize(new Dictionary<string, object> { ["minio"] = source }));
    }

    /// <summary>As a process that starts again.</summary>
    public void Open()
    {
        Close();
        var metrics = new ObjectMetrics(Metrics.Registry);
        var clients = Keep(new S3Clients(Options, TimeProvider.System));
        var folder = Keep(new CacheFolder(Options));
        Sources = new StorageSources(Options, [], TimeProvider.System, _loggers.CreateLogger<StorageSources>());
        Reader = new ObjectReader(new S3Store(clients), Options, new RetryRandom(new Random(1)), metrics, TimeProvider.System, _loggers.CreateLogger<ObjectReader>());
        Listings = new ListingFile(folder, _loggers.CreateLogger<ListingFile>());
        var cache = new ObjectCache(folder, Options, metrics, TimeProvider.System, _loggers.CreateLogger<ObjectCache>());
        Fetch = Keep(new VersionFetch(Sources, Reader, cache, Limits, Options, metrics, TimeProvider.System, _loggers.CreateLogger<VersionFetch>()));
    }

    /// <summary>The repository at <see cref="Root"/>.</summary>
    public BucketSource Repository() => new(ObjectAddress.Parse(Root)!, Reader, Sources, Listings, FixedClock.Late, _loggers.CreateLogger("repository"));

    /// <summary>What a load of the only version of a model is told to load.</summary>
    public async Task<ReplicaSpec> SpecAsync(string model)
    {
        var repository = Repository();
        await repository.RefreshAsync(null, CancellationToken.None);
        var registration = repository.Scan().Models.Single(found => found.Name == model);
        return new ReplicaSpec(Assert.Single(registration.Versions), registration.Settings, registration.VersionPolicy);
    }

    /// <summary>The same bytes at each run.</summary>
    public static byte[] Content(int size, int seed = 1)
    {
        var content = new byte[size];
        new Random(seed).NextBytes(content);
        return content;
    }

    public async Task<double> MetricAsync(string sample) =>
        (await Metrics.RenderAsync()).Split('\n').FirstOrDefault(line => line.StartsWith(sample + " ", StringComparison.Ordinal)) is { } line
            ? double.Parse(line[(sample.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture)
            : double.NaN;

    public async ValueTask DisposeAsync()
    {
        Close();
        await Server.DisposeAsync();
        Metrics.Dispose();
        _loggers.Dispose();
        _log.Dispose();
        _folder.Dispose();
    }

    private void Close()
    {
        foreach (var part in _parts)
        {
            part.Dispose();
        }

        _parts.Clear();
    }

    private T Keep<T>(T part)
        where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }
}
