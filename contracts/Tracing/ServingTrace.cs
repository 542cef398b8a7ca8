using System.Diagnostics;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Tracing;

/// <summary>
/// The spans of requests and loads, and how a trace goes from one process to another. While nothing listens, each of these costs one look and makes nothing.
/// </summary>
public static class ServingTrace
{
    /// <summary>What exporters listen for.</summary>
    public const string SourceName = "Cluster.Serving";

    /// <summary>Not the key of Orleans' own propagation, whose spans may lie between.</summary>
    private const string ContextKey = "cluster-traceparent";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>Whether there is a listener at all.</summary>
    public static bool IsOn => Source.HasListeners();

    /// <summary>The span that the caller runs in, where it is ours and recorded; else null.</summary>
    public static Activity? Current => IsOn && Activity.Current is { Recorded: true } current && current.Source == Source ? current : null;

    /// <summary>Begins a span of a trace that came from outside, or, without one, a trace.</summary>
    public static Activity? Begin(string name, ActivityKind kind, ActivityContext parent) => Source.StartActivity(name, kind, parent);

    /// <summary>Begins a span within the caller's; null where that is not recorded.</summary>
    public static Activity? BeginWithin(string name, ActivityKind kind = ActivityKind.Internal) =>
        IsOn && Activity.Current is { Recorded: true } ? Source.StartActivity(name, kind) : null;

    /// <summary>Adds a span that has ended already.</summary>
    public static Activity? Add(Activity within, string name, DateTimeOffset start, TimeSpan duration)
    {
        var span = Source.StartActivity(name, ActivityKind.Internal, within.Context, startTime: start);
        span?.SetEndTime(start.UtcDateTime + duration);
        return span;
    }

    /// <summary>Has the calls to grains that the caller makes from here on carry its span.</summary>
    public static void Send()
    {
        if (IsOn && Activity.Current is { Recorded: true } current)
        {
            RequestContext.Set(ContextKey, current.Id!);
        }
    }

    /// <summary>The span that the call of this grain was made in; default: none that is recorded.</summary>
    public static ActivityContext Received() =>
        IsOn && RequestContext.Get(ContextKey) is string id && ActivityContext.TryParse(id, traceState: null, isRemote: true, out var context) ? context : default;

    /// <summary>Says what became of it. What a client did wrong is no error of a span.</summary>
    public static void SetOutcome(this Activity span, Failure? failure)
    {
        span.SetTag(TraceTags.Outcome, failure is null ? nameof(StatusCode.Ok) : failure.Code.ToString());
        if (failure is { Code: StatusCode.Unknown or StatusCode.DeadlineExceeded or StatusCode.Unimplemented or StatusCode.Internal or StatusCode.Unavailable or StatusCode.DataLoss })
        {
            span.SetStatus(ActivityStatusCode.Error, failure.Message);
        }
    }
}

/// <summary>The names of the spans' attributes.</summary>
public static class TraceTags
{
    public const string Model = "cluster.model";
    public const string Version = "cluster.version";
    public const string Replica = "cluster.replica";
    public const string Silo = "cluster.silo";

    /// <summary>Bytes of the request's message.</summary>
    public const string RequestBytes = "cluster.request.bytes";

    /// <summary>Bytes of the answer's message.</summary>
    public const string ResponseBytes = "cluster.response.bytes";

    /// <summary>Bytes that a loaded replica takes.</summary>
    public const string LoadedBytes = "cluster.loaded.bytes";

    /// <summary>Ok, or the name of a gRPC status.</summary>
    public const string Outcome = "cluster.outcome";

    /// <summary>Why another replica was called: what became of the call before.</summary>
    public const string RetryReason = "cluster.retry.reason";

    /// <summary>Rows that a run computed.</summary>
    public const string Rows = "cluster.rows";
}
