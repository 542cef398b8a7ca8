using Cluster.Contracts.Errors;

namespace Cluster.Tests.Common;

/// <summary>How one inference request ended.</summary>
/// <param name="Status">Null where the connection failed or the caller gave up.</param>
/// <param name="Number">The number of the model that answered; null for a failure.</param>
/// <param name="Message">Of a failure.</param>
/// <param name="HasRetryHint">Whether a failure says when to try again.</param>
public sealed record InferResult(StatusCode? Status, float? Number, string Message, bool HasRetryHint)
{
    private const string StatusDetails = "grpc-status-details-bin";

    public bool IsOk => Number is not null;

    public static InferResult Answered(float number) => new(StatusCode.Ok, number, "", HasRetryHint: false);

    public static InferResult Refused(GrpcAnswer answer) => new(answer.Status, null, answer.Details, SaysWhen(answer));

    public static InferResult Broken(Exception exception) => new(null, null, $"{exception.GetType().Name}: {exception.Message}", HasRetryHint: false);

    public override string ToString() => IsOk ? $"{Number}" : $"{Status?.ToString() ?? "no status"} '{Message}'{(HasRetryHint ? " with a retry hint" : "")}";

    private static bool SaysWhen(GrpcAnswer answer)
    {
        var text = answer.Metadata.GetValueOrDefault(StatusDetails, "");
        var padded = text.PadRight((text.Length + 3) / 4 * 4, '=');
        return System.Text.Encoding.Latin1.GetString(Convert.FromBase64String(padded)).Contains("google.rpc.RetryInfo", StringComparison.Ordinal);
    }
}
