using System.Runtime.CompilerServices;
using System.Text;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;

namespace Cluster.Unit.Replication;

internal static class MapWaits
{
    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The content as text; null if there is no entry.</summary>
    public static string? Text(this ReplicatedMap map, string key) => map.TryGet(key, out var entry) ? Encoding.UTF8.GetString(entry.Content.Span) : null;

    public static void Publish(this ReplicatedMap map, string key, string text) => map.Publish(key, Bytes(text));

    /// <summary>Returns once a condition holds; looks at each change. Call it before what makes it hold.</summary>
    public static async Task UntilAsync(
        this ReplicatedMap map, Func<ReplicatedMap, bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(string key)
        {
            if (condition(map))
            {
                reached.TrySetResult();
            }
        }

        map.Changed += Look;
        Look("");
        try
        {
            await reached.Task.Soon();
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{what}: not of a map of {map.Count} entries, of which {map.Pending} are not sent", exception);
        }
        finally
        {
            map.Changed -= Look;
        }
    }

    public static Task UntilTextAsync(this ReplicatedMap map, string key, string? text) => map.UntilAsync(now => now.Text(key) == text);

    /// <summary>Reads a key as soon as Redis answers.</summary>
    public static async Task RefreshWhenBackAsync(this ReplicatedMap map, string key)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (true)
        {
            try
            {
                await map.RefreshAsync(key, limit.Token);
                return;
            }
            catch (SiloUnavailableException)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Returns once Redis has everything that the map was told.</summary>
    public static async Task SentAsync(this ReplicatedMap map)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (map.Pending > 0)
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
