using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

namespace Cluster.Metrics;

/// <summary>What the exporter collects besides the families of the <see cref="MetricRegistry"/>.</summary>
[Section("Metrics")]
public sealed class PrometheusOptions : IValidatableObject
{
    /// <summary>
    /// Names of the meters to collect, or <c>meter/instrument</c> for one of a meter's instruments. More make scrapes larger and every measurement of theirs cost a lookup.
    /// </summary>
    public ISet<string> Meters { get; set; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "Cluster.Redis",
        "Cluster.Repository",
        "Cluster.Memory",
        "Cluster.Security",
        ProcessMetrics.MeterName,
        "System.Runtime",
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.Orleans/orleans-app-requests-timedout",
        "Microsoft.Orleans/orleans-catalog-activation-failed-to-activate",
        "Microsoft.Orleans/orleans-catalog-activations",
        "Microsoft.Orleans/orleans-messaging-expired",
        "Microsoft.Orleans/orleans-messaging-pings-reply-missed",
        "Microsoft.Orleans/orleans-messaging-rejected",
        "Microsoft.Orleans/orleans-messaging-sent-dropped",
        "Microsoft.Orleans/orleans-messaging-sent-failed",
        "Microsoft.Orleans/orleans-networking-sockets-closed",
        "Microsoft.Orleans/orleans-networking-sockets-opened",
        "Microsoft.Orleans/orleans-scheduler-long-running-turns",
    };

    /// <summary>
    /// Bucket bounds by instrument name, ascending and finite. Other instruments get the bounds that they advise, else ones that fit their unit.
    /// </summary>
    public IDictionary<string, IReadOnlyList<double>> Bounds { get; set; } = new Dictionary<string, IReadOnlyList<double>>(StringComparer.Ordinal);

    /// <summary>Combinations of tags that one instrument may have. Measurements of further ones are dropped and counted. At least 1.</summary>
    [Range(1, 1_000_000)]
    public int MaxSeriesPerInstrument { get; set; } = 1000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (instrument, bounds) in Bounds)
        {
            if (!bounds.Zip(bounds.Skip(1)).All(static pair => pair.First < pair.Second))
            {
                yield return new ValidationResult($"ascending numbers for {instrument}", [nameof(Bounds)]);
            }
        }
    }
}
