using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>Processor time that each thread of another process has taken, as Linux tells it. A measure that does not depend on what else keeps the processors busy.</summary>
public sealed class ThreadTimes
{
    private readonly Dictionary<string, long> _nanoseconds = [];

    private ThreadTimes()
    {
    }

    /// <param name="id">Of a process that runs.</param>
    public static ThreadTimes Of(int id)
    {
        var times = new ThreadTimes();
        foreach (var thread in Directory.GetDirectories(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/task")))
        {
            try
            {
                times._nanoseconds[thread] = long.Parse(File.ReadAllText(thread + "/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);
            }
            catch (IOException)
            {
                // It has ended since.
                times._nanoseconds.Remove(thread);
            }
        }

        return times;
    }

    /// <summary>Of the time that the two busiest threads took since <paramref name="before"/>, the share of the second; 0 to 0.5.</summary>
    public double ShareOfSecond(ThreadTimes before)
    {
        var taken = _nanoseconds.Select(thread => thread.Value - before._nanoseconds.GetValueOrDefault(thread.Key)).OrderDescending().Take(2).ToList();
        return taken is [var first, var second] && first + second > 0 ? (double)second / (first + second) : 0;
    }
}
