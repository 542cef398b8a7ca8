using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Cluster.Unit.Gateway.KServe;

/// <summary>A call of no server, with a request that has no body.</summary>
internal sealed class FakeCall : ServerCallContext
{
    public FakeCall() => UserState["__HttpContext"] = new DefaultHttpContext();

    protected override string MethodCore => "/test/Call";

    protected override string HostCore => "";

    protected override string PeerCore => "";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore { get; } = [];

    protected override CancellationToken CancellationTokenCore => CancellationToken.None;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore { get; } = new(null, []);

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) => throw new NotSupportedException("calls of tests end here");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;
}
