namespace Cluster.Metrics;

/// <summary>The forms that metrics are written in.</summary>
public enum ExpositionFormat
{
    /// <summary>Prometheus' text format 0.0.4.</summary>
    Text,

    /// <summary>OpenMetrics 1.0, which has exemplars. A counter whose name does not end with <c>_total</c> is of unknown type there, as no other may have one.</summary>
    OpenMetrics,
}

/// <summary>Their media types.</summary>
public static class ExpositionMediaType
{
    /// <summary>Of OpenMetrics, without parameters.</summary>
    public const string OpenMetrics = "application/openmetrics-text";

    /// <summary>Of the text format, without parameters.</summary>
    public const string Text = "text/plain";

    /// <summary>With version and charset.</summary>
    public static string Of(ExpositionFormat format) =>
        format == ExpositionFormat.OpenMetrics ? OpenMetrics + "; version=1.0.0; charset=utf-8" : Text + "; version=0.0.4; charset=utf-8";
}
