using Cluster.Contracts.Buffers;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.KServe;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Grpc.AspNetCore.Server;
using Grpc.AspNetCore.Server.Model;
using Grpc.Health.V1;
using Grpc.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using V1 = Grpc.Reflection.V1;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace Cluster.Gateway.Grpc;

/// <summary>Registers and maps what the gateway serves over gRPC, beside ModelMesh's services.</summary>
internal static class GrpcExtensions
{
    /// <summary>
    /// The largest request that is parsed into objects, which take many times its length: 4 MiB, the default of other gRPC servers.
    /// </summary>
    private const int MaxTypedMessage = 4 << 20;

    private static readonly Google.Protobuf.Reflection.ServiceDescriptor[] Descriptors =
    [
        .. InferenceReflection.Descriptor.Services,
        .. ModelMeshReflection.Descriptor.Services,
        Health.Descriptor,
        V1.ServerReflection.Descriptor,
        V1Alpha.ServerReflection.Descriptor,
    ];

    /// <param name="services">Has a TimeProvider, or gets the system's.</param>
    /// <param name="maxMessage">The largest inference request, bytes, also after decompression.</param>
    public static IServiceCollection AddGrpcServer(this IServiceCollection services, int maxMessage)
    {
        services.TryAddSingleton(TimeProvider.System);

        // CallBoundary logs unexpected exceptions of handlers. The library would log only clients' mistakes and broken connections.
        services.AddLogging(logging => logging
            .AddFilter("Grpc", LogLevel.Warning)
            .AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None));
        services.AddSingleton<CallBoundary>();
        services.AddSingleton<StreamsEndWithServer>();
        services.AddSingleton<IServiceMethodProvider<InferenceService>, InferenceMethods>();
        services.AddSingleton<InferenceService>();
        services.TryAddSingleton<LateFailures>();
        services.AddSingleton<StreamInference>();
        services.AddSingleton<KServeService>();
        services.TryAddSingleton(PayloadRoom.Unlimited);
        services.AddGrpc()
            .AddServiceOptions<InferenceService>(static _ => { })
            .AddServiceOptions<ReflectionServiceImpl>(options => options.Interceptors.Add<StreamsEndWithServer>())
            .AddServiceOptions<ReflectionV1ServiceImpl>(options => options.Interceptors.Add<StreamsEndWithServer>());
        services.AddOptions<GrpcServiceOptions>().Configure<PayloadRoom>(static (options, room) => Limit(options, MaxTypedMessage, room));
        services.AddOptions<GrpcServiceOptions<InferenceService>>().Configure<PayloadRoom>((options, room) => Limit(options, maxMessage, room));
        services.AddGrpcHealthChecks(options =>
        {
            // Readiness tells the health service each change; what polls would come late, and overwrite it.
            options.Services.Clear();
            options.UseHealthChecksCache = true;
        });
        services.AddSingleton(new ReflectionServiceImpl(Descriptors));
        services.AddSingleton(new ReflectionV1ServiceImpl(Descriptors));
        services.AddGrpcReflection();
        return services;
    }

    /// <summary>Maps KServe's service, health and reflection; takes gRPC-Web for every service that is mapped, over either version of HTTP.</summary>
    public static WebApplication MapKServe(this WebApplication app)
    {
        app.Use(static next => http =>
        {
            // A call under way, streams too, keeps its connection; without one it may make way.
            return http.Features.Get<ConnectionPlace>() is { } place && http.IsGrpc()
                ? place.KeepAsync(next, http)
                : next(http);
        });
        app.UseGrpcWeb(new GrpcWebOptions { DefaultEnabled = true });
        app.Services.GetRequiredService<KServeService>().Map(app);
        app.MapGrpcHealthChecksService().AskByMethod().LiftBodyLimits();
        app.MapGrpcReflectionService().AskByMethod();
        return app;
    }

    /// <summary>
    /// Takes the web server's limits of a request's body off these methods. gRPC bounds each message itself, and a body that is too slow would end the
    /// whole connection with all its calls. Methods whose requests are streams do without: the library does it for them.
    /// </summary>
    public static void LiftBodyLimits(this IEndpointConventionBuilder methods) => methods.Add(static endpoint =>
    {
        var serve = endpoint.RequestDelegate!;
        endpoint.RequestDelegate = http =>
        {
            if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
            {
                size.MaxRequestBodySize = null;
            }

            if (http.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate)
            {
                rate.MinDataRate = null;
            }

            return serve(http);
        };
    });

    private static void Limit(GrpcServiceOptions options, int maxMessage, PayloadRoom room)
    {
        options.MaxReceiveMessageSize = maxMessage;
        options.EnableDetailedErrors = false;
        options.CompressionProviders = CheckedCompressionProvider.All(maxMessage, room);
    }
}

/// <summary>What gRPC asks of Kestrel.</summary>
public static class GrpcKestrelExtensions
{
    /// <summary>
    /// One stream's window: 2 MiB, a round trip of 1.6 ms at 10 Gbit/s. Smaller stalls large tensors on the network; larger lets one
    /// idle handler buffer more. On the loopback, 96 KiB to 4 MiB cost the same.
    /// </summary>
    public const int StreamWindow = 2 * 1024 * 1024;

    /// <summary>One connection's window: 8 MiB, the most that its unread requests may take in memory altogether.</summary>
    public const int ConnectionWindow = 8 * 1024 * 1024;

    /// <summary>The largest HTTP/2 frame taken: 256 KiB. Larger frames cost fewer headers but delay other streams of the connection.</summary>
    public const int FrameSize = 256 * 1024;

    /// <summary>
    /// Sets the HTTP/2 limits: windows, frame size, streams and keep-alive pings that find a dead client within a minute.
    /// HTTP/1 is untouched; limits of the request's body are lifted call by call, so that other routes keep theirs.
    /// </summary>
    /// <param name="streams">Calls in flight on one connection.</param>
    public static KestrelServerOptions ConfigureGrpcLimits(this KestrelServerOptions options, int streams)
    {
        var http2 = options.Limits.Http2;
        http2.InitialStreamWindowSize = StreamWindow;
        http2.InitialConnectionWindowSize = ConnectionWindow;
        http2.MaxFrameSize = FrameSize;
        http2.MaxStreamsPerConnection = streams;
        http2.KeepAlivePingDelay = TimeSpan.FromSeconds(40);
        http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        return options;
    }
}
