using System.Globalization;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>The headers of inference requests and answers that are not HTTP's own.</summary>
internal static class InferHeaders
{
    /// <summary>Bytes of JSON in front of the binary tensors, counted before compression.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";

    /// <summary>Milliseconds that the client will wait.</summary>
    public const string Timeout = "X-Request-Timeout";

    /// <summary>The announced length of the JSON; null if the whole body is JSON.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not a number, or more than <paramref name="bodyLength"/>.</exception>
    public static long? ReadJsonLength(HttpRequest request, long? bodyLength)
    {
        if (!request.Headers.TryGetValue(JsonLength, out var values))
        {
            return null;
        }

        if (!long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            throw ServingException.InvalidArgument($"header {JsonLength} is '{values}'; it must be the number of bytes of JSON in the body");
        }

        return length <= (bodyLength ?? long.MaxValue) ? length : throw TooLong(length, bodyLength ?? 0);
    }

    public static ServingException TooLong(long length, long bodyLength) =>
        ServingException.InvalidArgument($"header {JsonLength} is {length}, but the body has only {bodyLength} bytes");

    /// <exception cref="ServingException">INVALID_ARGUMENT: not a positive number.</exception>
    public static TimeSpan? ReadTimeout(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(Timeout, out var values))
        {
            return null;
        }

        return int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw ServingException.InvalidArgument($"header {Timeout} is '{values}'; it must be milliseconds, 1 to {int.MaxValue}");
    }
}
