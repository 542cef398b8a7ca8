namespace Cluster.Runtime;

/// <summary>How long a caller of this interface method waits at most, in place of the silo's default.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ResponseTimeoutAttribute(string timeout) : Attribute
{
    /// <summary>The time, written as for <see cref="TimeSpan.Parse(string)"/>, such as <c>00:00:30</c>.</summary>
    public TimeSpan? Timeout { get; } = TimeSpan.Parse(timeout, System.Globalization.CultureInfo.InvariantCulture);
}
