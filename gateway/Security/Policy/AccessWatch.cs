using Cluster.Gateway.Security.Tokens;
using Cluster.Security;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security.Policy;

/// <summary>Reads <c>access.json</c> and the keys of tokens when the process starts, and again when they change. A wrong file leaves the one before in force.</summary>
internal sealed class AccessWatch(
    AccessControl control, TokenValidator tokens, AccessOptions access, TokenOptions options, TimeProvider time, ILogger<AccessWatch> logger) : IHostedLifecycleService, IDisposable
{
    private readonly List<WatchedFiles> _watches = [];

    /// <summary>Before the server listens: no request is answered by rules that are not read.</summary>
    /// <exception cref="IOException">A file is wrong: the process does not start.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        Watch(access.File, ReadRules);
        Watch(TokenKeyAddress.IsAddress(options.Keys) ? null : options.Keys, ReadKeys);
        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _watches.ForEach(static watch => watch.Dispose());

    private void Watch(string? path, Action<string> read)
    {
        if (path is not null)
        {
            // The watch first: a change while the file is read is seen.
            _watches.Add(new WatchedFiles([path], () => read(path), time, logger));
            read(path);
        }
    }

    private void ReadRules(string path)
    {
        try
        {
            control.Policy = AccessFile.Read(path);
        }
        catch (AccessFileException exception)
        {
            throw new IOException($"'{path}' holds no rules: {exception.Message}", exception);
        }

        Log.RulesTaken(logger, path, control.Policy.Clients.Count());
    }

    private void ReadKeys(string path)
    {
        try
        {
            tokens.Use(File.ReadAllText(path));
        }
        catch (Exception exception) when (exception is ArgumentException or UnauthorizedAccessException)
        {
            throw new IOException($"'{path}' holds no keys of tokens: {exception.Message}", exception);
        }
    }
}
