using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Threading.Channels;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Logging;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security.Audit;

/// <summary>
/// Who did what to which model, from where, with which result, a JSON object a line. Changes of models are written always; of what was refused, one line a
/// minute of a kind; inference and metadata by sampling. No payload, no key and no token is in it. Requests do not wait for the disk.
/// </summary>
internal sealed class AuditLog(AuditOptions options, TimeProvider time, Random random, ILogger<AuditLog> logger) : BackgroundService
{
    /// <summary>Lines that wait for the disk; more are lost, and said to be in the log.</summary>
    private const int MaxWaiting = 10_000;

    private const int MaxText = 256;

    private readonly Channel<byte[]> _lines = Channel.CreateBounded<byte[]>(new BoundedChannelOptions(MaxWaiting) { SingleReader = true });
    private readonly CauseLimiter _refusals = new(time);
    private readonly CauseLimiter _strangers = new(time);
    private readonly CauseLimiter _failures = new(time);

    /// <summary>Writes a request that has been answered, or is about to be refused.</summary>
    public void Write(HttpContext http, RouteAccess access, Caller? caller, Failure? refusal = null)
    {
        if (options.File is null || !IsToBeWritten(http, access, caller, refusal, out var heldBack))
        {
            return;
        }

        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow());
            json.WriteString("client", caller?.Name ?? "");
            json.WriteString("address", http.Connection.RemoteIpAddress?.ToString() ?? "");
            json.WriteString("action", access.Scope is AccessScope.Client or AccessScope.Health ? "other" : access.Permission.ToString().ToLowerInvariant());
            json.WriteString("model", Cut(caller?.Denied ?? caller?.Target ?? ""));
            json.WriteString("method", http.Request.Method);
            json.WriteString("path", Cut(http.Request.Path.Value ?? ""));
            json.WriteString("result", refusal is not null ? refusal.Code.ToString() : caller?.Denied is not null ? nameof(StatusCode.PermissionDenied) : ResultOf(http));
            if (heldBack > 0)
            {
                json.WriteNumber("held_back", heldBack);
            }

            json.WriteEndObject();
        }

        buffer.Write("\n"u8);
        if (!_lines.Writer.TryWrite(buffer.WrittenSpan.ToArray()))
        {
            Failed($"more than {MaxWaiting} lines wait for the disk");
        }
    }

    /// <summary>Returns once all written lines are on the disk.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _lines.Writer.TryComplete();
        if (ExecuteTask is { } writing)
        {
            await writing.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await base.StopAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.File is not { } path)
        {
            return;
        }

        FileStream? file = null;
        try
        {
            await foreach (var line in _lines.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                try
                {
                    file ??= new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
                    await file.WriteAsync(line, CancellationToken.None).ConfigureAwait(false);
                    if (_lines.Reader.Count == 0)
                    {
                        await file.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                    }

                    // A pipe, such as /dev/stdout of a container, has no length.
                    if (file.CanSeek && file.Length >= (long)options.MaxMiB << 20)
                    {
                        await file.DisposeAsync().ConfigureAwait(false);
                        file = null;
                        Rotate(path);
                    }
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    // The next line tries to open the file again.
                    Failed(exception.Message);
                    file?.Dispose();
                    file = null;
                }
            }
        }
        finally
        {
            file?.Dispose();
        }
    }

    private static string Cut(string text) => text.Length <= MaxText ? text : text[..MaxText];

    /// <summary>gRPC's status where there is one, else HTTP's.</summary>
    private static string ResultOf(HttpContext http)
    {
        var status = http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers["grpc-status"] is [{ } trailer] ? trailer : http.Response.Headers["grpc-status"].ToString();
        return int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? ((StatusCode)code).ToString()
            : http.Response.StatusCode.ToString(CultureInfo.InvariantCulture);
    }

    private bool IsToBeWritten(HttpContext http, RouteAccess access, Caller? caller, Failure? refusal, out long heldBack)
    {
        heldBack = 0;

        // Refusals are cheap to cause: they must not push everything else out of the files.
        return caller is null ? _strangers.TryPass(http.Connection.RemoteIpAddress?.ToString() ?? "", out heldBack)
            : refusal is not null || caller.Denied is not null ? _refusals.TryPass($"{caller.Name} {access.Permission} {refusal?.Code}", out heldBack)
            : access is { Scope: AccessScope.Model or AccessScope.All, Permission: Permission.Manage } || (options.Share > 0 && random.NextDouble() < options.Share);
    }

    private void Rotate(string path)
    {
        for (var i = options.Files - 1; i >= 1; i--)
        {
            if (File.Exists($"{path}.{i}"))
            {
                File.Move($"{path}.{i}", $"{path}.{i + 1}", overwrite: true);
            }
        }

        File.Move(path, path + ".1", overwrite: true);
    }

    private void Failed(string reason)
    {
        if (_failures.TryPass("", out _))
        {
            Log.AuditFailed(logger, options.File!, reason);
        }
    }
}
