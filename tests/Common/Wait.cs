using System.Runtime.CompilerServices;

namespace Cluster.Tests.Common;

/// <summary>Waits that end: a test that hangs says where.</summary>
public static class Wait
{
    /// <summary>Far longer than anything a unit test waits for takes.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Awaits a task for at most <see cref="Limit"/>.</summary>
    /// <exception cref="TimeoutException">It took longer; the message names what was awaited.</exception>
    public static async Task Soon(this Task task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            await task.WaitAsync(Limit);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"still waiting after {Limit.TotalSeconds:0} s for: {what}");
        }
    }

    /// <inheritdoc cref="Soon(Task, string)"/>
    public static async Task<T> Soon<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        await ((Task)task).Soon(what);
        return await task;
    }
}
