namespace Cluster.Runtime;

/// <summary>Why an activation ends, for its <c>OnDeactivateAsync</c> and for the log.</summary>
#pragma warning disable CA1815 // Nobody compares reasons.
public readonly struct DeactivationReason
#pragma warning restore CA1815
{
    public DeactivationReason(DeactivationReasonCode code, string text)
        : this(code, null, text)
    {
    }

    public DeactivationReason(DeactivationReasonCode code, Exception? exception, string text)
    {
        ReasonCode = code;
        Exception = exception;
        Description = text;
    }

    /// <summary>The kind of reason.</summary>
    public DeactivationReasonCode ReasonCode { get; }

    /// <summary>The reason in words.</summary>
    public string Description { get; }

    /// <summary>The exception that led to it, if one did.</summary>
    public Exception? Exception { get; }

    public override string ToString() => Exception is null ? $"{ReasonCode}: {Description}" : $"{ReasonCode}: {Description}: {Exception}";
}
