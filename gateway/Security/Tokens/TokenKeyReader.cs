using System.Net;
using System.Text;
using System.Threading.Channels;
using Cluster.Contracts.Logging;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Security.Tokens;

/// <summary>
/// Reads the keys of tokens from their issuer's address before the server listens, then each <see cref="TokenOptions.RefreshInterval"/>. A token that is signed by an
/// unknown key has them read sooner. Where the address does not answer, or answers with something else, the former keys stay in force.
/// </summary>
internal sealed class TokenKeyReader(
    TokenValidator tokens, TokenOptions options, TimeProvider time, ILogger<TokenKeyReader> logger) : BackgroundService
{
    /// <summary>Far above a key set with certificates in it.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>Requests with unknown keys have the address read no more often.</summary>
    public static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(30);

    /// <summary>After a failure, doubled with each further one up to the interval.</summary>
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CauseLimiter _failures = new(time);
    private HttpClient? _client;
    private string? _taken;

    /// <exception cref="IOException">The file of authorities is wrong: the process does not start.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (TokenKeyAddress.IsAddress(options.Keys))
        {
            _client = TokenKeyAddress.CreateClient(options, MaxBytes);
            tokens.KeyIsUnknown = () => _asked.Writer.TryWrite(true);
            _ = await TryReadAsync(cancellationToken).ConfigureAwait(false);
        }

        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override void Dispose()
    {
        base.Dispose();
        _client?.Dispose();
    }

    /// <summary>Reads the keys once.</summary>
    /// <returns>False: the keys before stay in force, and the log says why.</returns>
    internal async Task<bool> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await _client!.GetAsync(TokenKeyAddress.Parse(options.Keys!), cancellationToken).ConfigureAwait(false);
            return answer.StatusCode == HttpStatusCode.OK
                ? Take(Encoding.UTF8.GetString(await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false)))
                : Fail($"it answers {(int)answer.StatusCode}, expected 200");
        }
        catch (HttpRequestException exception)
        {
            return Fail($"it cannot be asked: {exception.InnerException?.Message ?? exception.Message}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Fail($"it does not answer within {options.ReadTimeout.TotalSeconds:0} s");
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_client is null)
        {
            return;
        }

        var isRead = tokens.KeysTaken is not null;
        var retry = FirstRetry;
        while (true)
        {
            await WaitAsync(isRead ? options.RefreshInterval : retry, stoppingToken).ConfigureAwait(false);
            _ = _asked.Reader.TryRead(out _);
            retry = isRead ? FirstRetry : TimeSpan.FromTicks(Math.Min(2 * retry.Ticks, options.RefreshInterval.Ticks));
            isRead = await TryReadAsync(stoppingToken).ConfigureAwait(false);
        }
    }

    /// <summary>Ends after the time, or when a key was asked for, but not before the least interval.</summary>
    private async Task WaitAsync(TimeSpan wait, CancellationToken stopping)
    {
        var least = wait < LeastInterval ? wait : LeastInterval;
        await Task.Delay(least, time, stopping).ConfigureAwait(false);
        using var rest = new CancellationTokenSource(wait - least, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(rest.Token, stopping);
        try
        {
            _ = await _asked.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return;
        }
    }

    private bool Take(string keySet)
    {
        if (keySet != _taken)
        {
            try
            {
                tokens.Use(keySet);
            }
            catch (ArgumentException exception)
            {
                return Fail($"it holds no keys of tokens: {exception.Message}");
            }

            _taken = keySet;
            Log.TokenKeysTaken(logger, options.Keys!);
        }

        tokens.Confirm();
        return true;
    }

    private bool Fail(string reason)
    {
        if (_failures.TryPass(reason, out var heldBack))
        {
            Log.TokenKeysKept(logger, options.Keys!, reason, heldBack);
        }

        return false;
    }
}
