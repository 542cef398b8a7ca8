using System.Diagnostics;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;

namespace Cluster.Unit.Replication;

internal static class RedisConnectionExtensions
{
    /// <summary>Has Redis say a text.</summary>
    public static ValueTask<RedisReply> EchoAsync(this RedisConnection connection, string text = "x") => connection.EvaluateAsync("return {ARGV[1]}", [], [text]);

    /// <summary>Asks until Redis answers, or does not, as expected.</summary>
    public static async Task<RedisReply> UntilAsync(this RedisConnection connection, Func<RedisReply, bool> expected)
    {
        var since = Stopwatch.StartNew();
        while (since.Elapsed < Wait.Limit)
        {
            var reply = await connection.EchoAsync();
            if (expected(reply))
            {
                return reply;
            }

            await Task.Yield();
        }

        throw new TimeoutException("Redis did not become what the test waits for");
    }
}
