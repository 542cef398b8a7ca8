using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.Grpc;

/// <summary>The response around the messages. Public for middleware that refuses a call before its handler is reached.</summary>
public static class GrpcResponse
{
    internal const string ContentType = "application/grpc";

    private static readonly StringValues ContentTypeValue = ContentType;

    /// <summary>
    /// Sets the call's outcome: in the headers if nothing was sent yet (gRPC's trailers-only form), else in the trailers.
    /// The response ends when the request's delegate returns.
    /// </summary>
    public static void SetFailure(HttpContext http, Failure failure)
    {
        if (http.Response.HasStarted)
        {
            if (Trailers(http) is { } trailers)
            {
                GrpcStatusTrailers.Write(trailers, failure);
            }

            return;
        }

        Begin(http);
        GrpcStatusTrailers.Write(http.Response.Headers, failure);
    }

    internal static void Begin(HttpContext http) => http.Response.Headers.ContentType = ContentTypeValue;

    internal static void SetOk(HttpContext http)
    {
        if (Trailers(http) is { } trailers)
        {
            GrpcStatusTrailers.WriteOk(trailers);
        }
    }

    /// <summary>Sets the failure and ends the response while the request's delegate still runs.</summary>
    internal static Task CompleteAsync(HttpContext http, Failure failure)
    {
        SetFailure(http, failure);
        return http.Response.CompleteAsync();
    }

    /// <summary>Whether answers may take the form that the client announced for its own messages.</summary>
    internal static bool MayCompress(GrpcCallContext call) =>
        call.RequestEncoding != GrpcEncoding.Identity && GrpcCompression.Accepts(call.Metadata, call.RequestEncoding);

    internal static void AnnounceCompression(GrpcCallContext call) =>
        call.HttpContext.Response.Headers[GrpcCompression.EncodingHeader] = GrpcCompression.NameOf(call.RequestEncoding);

    private static IHeaderDictionary? Trailers(HttpContext http) => http.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
}
