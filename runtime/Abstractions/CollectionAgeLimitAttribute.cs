using System.Globalization;

namespace Cluster.Runtime;

/// <summary>How long a grain of this class may be idle before it is deactivated, in place of the silo's default.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class CollectionAgeLimitAttribute : Attribute
{
    private readonly TimeSpan? _amount;

    public CollectionAgeLimitAttribute()
    {
    }

    /// <param name="inactivityPeriod">The time, written as for <see cref="TimeSpan.Parse(string)"/>, such as <c>00:20:00</c>.</param>
    public CollectionAgeLimitAttribute(string inactivityPeriod) => _amount = TimeSpan.Parse(inactivityPeriod, CultureInfo.InvariantCulture);

    public double Days { get; set; }

    public double Hours { get; set; }

    public double Minutes { get; set; }

    /// <summary>True: never deactivated for being idle.</summary>
    public bool AlwaysActive { get; set; }

    /// <summary>The time as a whole; at least one minute unless given as text.</summary>
    public TimeSpan Amount
    {
        get
        {
            if (AlwaysActive)
            {
                return Timeout.InfiniteTimeSpan;
            }

            var sum = _amount ?? TimeSpan.FromDays(Days) + TimeSpan.FromHours(Hours) + TimeSpan.FromMinutes(Minutes);
            return sum > TimeSpan.Zero ? sum : TimeSpan.FromMinutes(1);
        }
    }
}
