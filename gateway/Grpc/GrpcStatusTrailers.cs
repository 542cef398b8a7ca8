using System.Globalization;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Grpc;

/// <summary>The fields that carry a call's outcome.</summary>
internal static class GrpcStatusTrailers
{
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string Details = "grpc-status-details-bin";
    public const string Pushback = "grpc-retry-pushback-ms";

    // Clients bound the header block (8 KiB in grpc-core) and drop a call that exceeds it; encoding may triple each byte.
    private const int MaxMessageLength = 1024;

    private static readonly StringValues OkText = "0";
    private static readonly StringValues[] CodeTexts =
        [.. Enumerable.Range(0, (int)StatusCode.Unauthenticated + 1).Select(code => new StringValues(code.ToString(CultureInfo.InvariantCulture)))];

    public static void WriteOk(IHeaderDictionary fields) => fields[Status] = OkText;

    public static void Write(IHeaderDictionary fields, Failure failure)
    {
        var message = Shorten(failure.Message);
        fields[Status] = CodeTexts[(int)failure.Code];
        fields[Message] = GrpcMessageText.Encode(message);
        if (failure.RetryAfter is { } delay)
        {
            fields[Pushback] = Math.Max(0, (long)Math.Ceiling(delay.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);
            fields[Details] = GrpcStatusDetails.Encode(failure.Code, message, delay);
        }
    }

    private static string Shorten(string message)
    {
        if (message.Length <= MaxMessageLength)
        {
            return message;
        }

        var cut = char.IsHighSurrogate(message[MaxMessageLength - 1]) ? MaxMessageLength - 1 : MaxMessageLength;
        return string.Concat(message.AsSpan(0, cut), "…");
    }
}
