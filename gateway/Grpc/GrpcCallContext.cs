using System.Net;
using System.Net.Sockets;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Grpc;

/// <summary>One call as its handler sees it. Valid until the handler's task completes.</summary>
public sealed class GrpcCallContext
{
    private readonly TimeProvider _time;
    private CallLifetime? _lifetime;
    private volatile CancellationCause _cause;

    internal GrpcCallContext(HttpContext httpContext, string method, int maxReceiveMessageSize, TimeProvider time)
    {
        HttpContext = httpContext;
        Method = method;
        MaxReceiveMessageSize = maxReceiveMessageSize;
        _time = time;
        CancellationToken = httpContext.RequestAborted;
    }

    /// <summary>The underlying request. Handlers leave its response alone.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>The method's full path, <c>/package.Service/Method</c>.</summary>
    public string Method { get; }

    /// <summary>The request's metadata. Names ignore case; values of names ending in <c>-bin</c> are base64.</summary>
    public IHeaderDictionary Metadata => HttpContext.Request.Headers;

    /// <summary>When the client stops waiting, as a timestamp of the server's TimeProvider; null without a deadline.</summary>
    public long? Deadline { get; private set; }

    /// <summary>Time until the deadline, zero once it passed; null without a deadline.</summary>
    public TimeSpan? Remaining
    {
        get
        {
            if (Deadline is not { } deadline)
            {
                return null;
            }

            var left = _time.GetElapsedTime(_time.GetTimestamp(), deadline);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Fires when nobody waits for the answer any more; <see cref="Cause"/> tells why.</summary>
    public CancellationToken CancellationToken { get; private set; }

    /// <summary>Why the token fired. Set before it fires.</summary>
    public CancellationCause Cause =>
        _cause == CancellationCause.None && HttpContext.RequestAborted.IsCancellationRequested ? CancellationCause.Client : _cause;

    /// <summary>The client's address in gRPC's notation: <c>ipv4:1.2.3.4:5</c>, <c>ipv6:[::1]:5</c> or <c>unknown</c>.</summary>
    public string Peer
    {
        get
        {
            var address = HttpContext.Connection.RemoteIpAddress;
            if (address is null)
            {
                return "unknown";
            }

            address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
            var family = address.AddressFamily == AddressFamily.InterNetwork ? "ipv4" : "ipv6";
            return $"{family}:{new IPEndPoint(address, HttpContext.Connection.RemotePort)}";
        }
    }

    internal int MaxReceiveMessageSize { get; }

    /// <summary>What <c>grpc-encoding</c> says of the request's messages.</summary>
    internal GrpcEncoding RequestEncoding { get; set; }

    /// <summary>Whether a compressed message arrived: the condition for compressing answers.</summary>
    internal bool RequestWasCompressed { get; set; }

    /// <summary>The response's side of a streaming call; null in a unary one.</summary>
    internal GrpcStreamWriter? StreamWriter { get; set; }

    /// <summary>What the client is told, or would be, about a cancelled call.</summary>
    internal Failure CancellationFailure => Cause == CancellationCause.Deadline
        ? Failure.DeadlineExceeded($"the deadline of {Method} passed")
        : Failure.Cancelled($"the client cancelled {Method}");

    /// <summary>Arms the deadline. Only before the handler is called.</summary>
    internal void StartDeadline(CallLifetime lifetime, TimeSpan timeout)
    {
        _lifetime = lifetime;
        Deadline = _time.GetTimestamp() + (long)(timeout.TotalSeconds * _time.TimestampFrequency);
        CancellationToken = lifetime.Token;
        lifetime.Start(this, Deadline.Value);
    }

    internal void MarkCancelled(CancellationCause cause)
    {
        if (_cause == CancellationCause.None)
        {
            _cause = cause;
        }
    }

    /// <summary>Whether the caller may write the outcome; false if the deadline was answered instead.</summary>
    internal bool TryClaimAnswer() => _lifetime?.TryClaimAnswer() ?? true;

    /// <summary>Waits until nothing but the caller uses this call any more.</summary>
    internal Task StopAsync() => _lifetime?.StopAsync() ?? Task.CompletedTask;
}
