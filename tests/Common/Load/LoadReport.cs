using System.Globalization;
using Xunit;

namespace Cluster.Tests.Common;

/// <summary>The requests of a load, or some of them.</summary>
public sealed record LoadReport(IReadOnlyList<LoadRecord> Records)
{
    private const int Shown = 12;

    public int Count => Records.Count;

    public IReadOnlyList<LoadRecord> Failures => [.. Records.Where(static record => !record.Result.IsOk)];

    public TimeSpan Slowest => Records.Count == 0 ? TimeSpan.Zero : Records.Max(static record => record.Latency);

    /// <summary>The longest time without an answer, between two answers that came.</summary>
    public TimeSpan LongestGap
    {
        get
        {
            var ends = Records.Where(static record => record.Result.IsOk).Select(static record => record.End).Order().ToList();
            return ends.Count < 2 ? TimeSpan.Zero : ends.Zip(ends.Skip(1), static (one, next) => next - one).Max();
        }
    }

    /// <summary>Requests for one of these models.</summary>
    public LoadReport For(IEnumerable<string> models)
    {
        var wanted = models.ToHashSet();
        return new([.. Records.Where(record => wanted.Contains(record.Model))]);
    }

    /// <summary>Requests due at or after this.</summary>
    public LoadReport From(TimeSpan start) => new([.. Records.Where(record => record.Due >= start)]);

    /// <summary>Requests that had ended by then.</summary>
    public LoadReport EndedBy(TimeSpan end) => new([.. Records.Where(record => record.End <= end)]);

    public LoadReport Through(int gateway) => new([.. Records.Where(record => record.Gateway == gateway)]);

    public void AssertNoFailure()
    {
        Assert.NotEmpty(Records);
        Assert.True(Failures.Count == 0, $"{this}\n{string.Join('\n', Failures.Take(Shown))}");
    }

    /// <summary>No request took longer, but for the noise of the machine.</summary>
    public void AssertNoneSlowerThan(TimeSpan bound, string what)
    {
        bound += Bounds.Noise;
        Assert.NotEmpty(Records);
        Assert.True(Slowest <= bound, $"{what}: a request took {Slowest.TotalMilliseconds:0} ms, not at most {bound.TotalMilliseconds:0}: {this}\n" +
            string.Join('\n', Records.OrderByDescending(static record => record.Latency).Take(Shown)));
    }

    public override string ToString()
    {
        var sorted = Records.Select(static record => record.Latency.TotalMilliseconds).Order().ToList();
        double At(double share) => sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))];
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Count} requests, {Failures.Count} failed; ms: p50 {At(0.5):0.0}, p99 {At(0.99):0.0}, max {At(1):0.0}; longest gap {LongestGap.TotalMilliseconds:0}");
    }
}

/// <summary>One request of a load.</summary>
/// <param name="Due">When it was to be sent, since the load began.</param>
/// <param name="Latency">From then to its end.</param>
public sealed record LoadRecord(string Model, int Gateway, TimeSpan Due, TimeSpan Latency, InferResult Result)
{
    public TimeSpan End => Due + Latency;

    public override string ToString() => $"{Model} through gateway {Gateway + 1}, due at {Due.TotalSeconds:0.000} s, after {Latency.TotalMilliseconds:0} ms: {Result}";
}
