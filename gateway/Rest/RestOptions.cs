using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cluster.Gateway.Rest;

/// <summary>Limits of the REST front end.</summary>
[Section("Rest")]
public sealed class RestOptions
{
    /// <summary>
    /// The largest request body, bytes, both as sent and after decompression; also the most that a JSON body's tensors may need in
    /// binary form. Higher lets a client hold more memory, lower refuses large tensors. 1 to 2,147,418,112; default 256 MiB.
    /// </summary>
    [SetBy("Cluster:MaxMessageMiB")]
    public long MaxRequestBytes { get; set; } = 256L << 20;

    /// <summary>All of a request's headers together, bytes; 1,024 to 1 MiB. Default 32 KiB.</summary>
    [Range(1024, 1 << 20)]
    public int MaxHeaderBytes { get; set; } = 32 << 10;

    /// <summary>Headers of a request. Default 100.</summary>
    [Range(1, 10_000)]
    public int MaxHeaders { get; set; } = 100;

    /// <summary>Verb, path and query together, bytes; 256 to 1 MiB. Default 8 KiB.</summary>
    [Range(256, 1 << 20)]
    public int MaxRequestLineBytes { get; set; } = 8 << 10;

    /// <summary>Time to send all headers. Default 30 s.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an idle connection is kept. Default 130 s.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan KeepAliveTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// True: NaN, Infinity and -Infinity may stand bare in the JSON of inference requests, and answers have them so. Default false, where they are strings. The bare
    /// form is no JSON, and strict readers refuse it.
    /// </summary>
    public bool BareFloats { get; set; }

    /// <summary>Sets what the HTTP server enforces by itself. Its minimum data rates stay: they are what ends a trickling upload.</summary>
    public void ApplyTo(KestrelServerLimits limits)
    {
        limits.MaxRequestBodySize = MaxRequestBytes;
        limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
        limits.MaxRequestHeaderCount = MaxHeaders;
        limits.MaxRequestLineSize = MaxRequestLineBytes;
        limits.RequestHeadersTimeout = HeadersTimeout;
        limits.KeepAliveTimeout = KeepAliveTimeout;
    }
}
