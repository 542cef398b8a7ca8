using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Cluster.Gateway.Grpc;

/// <summary>What makes an HTTP request a gRPC call.</summary>
internal static class GrpcProtocol
{
    private const string ProtoContentType = GrpcResponse.ContentType + "+proto";

    /// <summary>Null for a gRPC call; otherwise the HTTP status that refuses the request.</summary>
    public static int? Refusal(HttpRequest request)
    {
        if (!IsGrpcContentType(request.ContentType))
        {
            return StatusCodes.Status415UnsupportedMediaType;
        }

        if (!HttpProtocol.IsHttp2(request.Protocol))
        {
            return StatusCodes.Status426UpgradeRequired;
        }

        return HttpMethods.IsPost(request.Method) ? null : StatusCodes.Status405MethodNotAllowed;
    }

    /// <summary>Writes the refusal, with the header that says what would be right.</summary>
    public static void Refuse(HttpResponse response, int status)
    {
        response.StatusCode = status;
        switch (status)
        {
            case StatusCodes.Status405MethodNotAllowed:
                response.Headers.Allow = HttpMethods.Post;
                break;
            case StatusCodes.Status426UpgradeRequired:
                response.Headers.Upgrade = "h2c";
                break;
            default:
                response.Headers.Accept = GrpcResponse.ContentType;
                break;
        }
    }

    /// <summary>
    /// Takes the server's body limits off this request: gRPC bounds each message itself, and a stream may be idle for hours.
    /// </summary>
    public static void LiftBodyLimits(IFeatureCollection features)
    {
        if (features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = null;
        }

        if (features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }
    }

    public static bool IsGrpcContentType(string? contentType)
    {
        var text = contentType.AsSpan();
        var parameters = text.IndexOf(';');
        var type = (parameters < 0 ? text : text[..parameters]).Trim();
        return type.Equals(GrpcResponse.ContentType, StringComparison.OrdinalIgnoreCase)
            || type.Equals(ProtoContentType, StringComparison.OrdinalIgnoreCase);
    }
}
