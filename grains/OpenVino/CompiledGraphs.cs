using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Repository.Files;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.OpenVino;

/// <summary>
/// The folder where OpenVINO keeps compiled graphs of models with <c>cache</c>, a folder for each content of a version and its settings. What was used longest ago
/// goes when they take too much. What its model does not have any more goes with the model's next change. Safe from any thread.
/// </summary>
internal sealed class CompiledGraphs
{
    private const string DefaultName = "cluster-openvino-cache";
    private const int Digits = 16;

    private readonly OpenVinoOptions _options;
    private readonly IRegistrations _registrations;
    private readonly TimeProvider _time;
    private readonly ILogger<CompiledGraphs> _logger;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _loading = new(StringComparer.Ordinal);

    /// <summary>Models that this process has loaded with <c>cache</c>.</summary>
    private readonly ConcurrentDictionary<string, bool> _models = new(StringComparer.Ordinal);

    public CompiledGraphs(OpenVinoOptions options, IRegistrations registrations, IServingStates states, TimeProvider time, ILogger<CompiledGraphs> logger)
    {
        _options = options;
        _registrations = registrations;
        _time = time;
        _logger = logger;
        states.Changed += Notice;
    }

    private string Root => _options.Cache ?? Path.Combine(Path.GetTempPath(), DefaultName);

    /// <summary>The folder for a load, until that ends.</summary>
    /// <exception cref="IOException">It cannot be made, or is not the silo's own.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public Loading Use(string model, ModelVersionSource source, ProviderSettings settings)
    {
        // OpenVINO takes a blob for a graph of any precision.
        var name = $"{NameOf(model, source)}-{Digest(settings.ToString())}";
        lock (_lock)
        {
            // What is compiled is run: only the silo's own user writes it.
            OwnFolder.Make(Root);
            var folder = Path.GetFullPath(Path.Combine(Root, name));
            OwnFolder.Make(folder);
            _loading[name] = _loading.GetValueOrDefault(name) + 1;
            _models[model] = true;
            return new Loading(this, model, name, folder);
        }
    }

    /// <summary>Removes what the model does not have any more: versions that are gone, and their former contents.</summary>
    public void Sweep(string model)
    {
        HashSet<string> kept = _registrations.TryGet(model, out var registration)
            ? [.. registration.Versions.Select(source => NameOf(model, source))]
            : [];
        Tidy(() =>
        {
            foreach (var folder in Folders($"{Digest(model)}-*").Where(folder => !kept.Contains(folder.Name[..folder.Name.LastIndexOf('-')]) && !_loading.ContainsKey(folder.Name)))
            {
                Remove(folder);
            }
        });
    }

    /// <summary>A model that goes may have no replica here, whose end would tell.</summary>
    private void Notice(string model)
    {
        if (!_models.ContainsKey(model))
        {
            return;
        }

        if (!_registrations.TryGet(model, out var registration) || registration.IsRemoval)
        {
            _models.TryRemove(model, out _);
        }

        _ = Task.Run(() => Sweep(model));
    }

    private void End(string model, string name, string used)
    {
        Tidy(() =>
        {
            if (--_loading[name] == 0)
            {
                _loading.Remove(name);
            }

            // A blob that was only read left no trace.
            Directory.SetLastWriteTimeUtc(used, _time.GetUtcNow().UtcDateTime);

            var folders = Folders("*").Select(static folder => (Folder: folder, Bytes: folder.EnumerateFiles().Sum(static file => file.Length))).OrderBy(static one => one.Folder.LastWriteTimeUtc).ToList();
            var excess = folders.Sum(static one => one.Bytes) - _options.CacheBytes;
            foreach (var (folder, bytes) in folders.Where(one => !_loading.ContainsKey(one.Folder.Name)))
            {
                if (excess <= 0)
                {
                    break;
                }

                Remove(folder);
                excess -= bytes;
            }
        });
        Sweep(model);
    }

    /// <summary>
    /// A model that has been loaded, or unloaded, is so although this fails, such as where another silo with the same folder was quicker. The next change tries again.
    /// </summary>
    private void Tidy(Action work)
    {
        try
        {
            lock (_lock)
            {
                work();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.CompiledGraphStays(_logger, exception.Message);
        }
    }

    /// <summary>One that stays keeps no other.</summary>
    private void Remove(DirectoryInfo folder)
    {
        try
        {
            folder.Delete(recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Log.CompiledGraphStays(_logger, exception.Message);
        }
    }

    private DirectoryInfo[] Folders(string pattern) => new DirectoryInfo(Root) is { Exists: true } root ? root.GetDirectories(pattern) : [];

    private static string NameOf(string model, ModelVersionSource source) => $"{Digest(model)}-{source.Version}-{Digest(source.Revision)}";

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..Digits];

    /// <summary>A load that reads or writes a folder, which stays meanwhile.</summary>
    internal sealed class Loading(CompiledGraphs graphs, string model, string name, string folder) : IDisposable
    {
        public string Folder => folder;

        public void Dispose() => graphs.End(model, name, folder);
    }
}
