using Cluster.Contracts.Protocol;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.KServe;

/// <summary><c>inference.GRPCInferenceService</c>: the gRPC form of <see cref="IServingApi"/>; inference itself is <see cref="InferenceService"/>'s.</summary>
internal sealed class KServeService(IServingApi api, CallBoundary boundary)
{
    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService<InferenceService>().AskByMethod();
        endpoints.MapGrpcService(Define()).AskByMethod().LiftBodyLimits();
    }

    private ServerServiceDefinition Define() => new TypedService(InferenceReflection.Descriptor.Services[0], boundary)
        .Unary("ServerLive", ServerLiveRequest.Parser, (_, _) => Answer(new ServerLiveResponse { Live = true }))
        .Unary("ServerReady", ServerReadyRequest.Parser, (_, _) => Answer(new ServerReadyResponse { Ready = api.IsReady }))
        .Unary("ServerMetadata", ServerMetadataRequest.Parser, (_, _) => Answer(api.GetServerMetadata()))
        .Unary("ModelReady", ModelReadyRequest.Parser, (call, request) =>
        {
            var (model, version) = Find(call, request.Name, request.Version);
            var isReady = api.IsModelReady(model, version, Protocol.Grpc);
            return Answer(new ModelReadyResponse { Ready = isReady, Reason = isReady ? "" : api.WhyNotReady(model, version) });
        })
        .Unary("ModelMetadata", ModelMetadataRequest.Parser, (call, request) =>
        {
            var (model, version) = Find(call, request.Name, request.Version);
            return api.GetModelMetadataAsync(model, version, Protocol.Grpc, call.CancellationToken);
        })
        .Unary("ModelConfig", ModelConfigRequest.Parser, async (call, request) =>
        {
            var (model, version) = Find(call, request.Name, request.Version);
            return new ModelConfigResponse { Config = await api.GetModelConfigAsync(model, version, call.CancellationToken).ConfigureAwait(false) };
        })
        .Unary("ModelStatistics", ModelStatisticsRequest.Parser, (call, request) =>
        {
            var (model, version) = Find(call, request.Name, request.Version);
            return api.GetModelStatisticsAsync(model, version, Caller.Of(call.GetHttpContext()), call.CancellationToken);
        })
        .Unary("RepositoryIndex", RepositoryIndexRequest.Parser, (call, request) => Answer(api.GetRepositoryIndex(request.Ready, Caller.Of(call.GetHttpContext()))))
        .Unary("RepositoryModelLoad", RepositoryModelLoadRequest.Parser, LoadAsync)
        .Unary("RepositoryModelUnload", RepositoryModelUnloadRequest.Parser, UnloadAsync)
        .Unimplemented(
            "shared memory is not offered: send tensors in raw_input_contents",
            "SystemSharedMemoryStatus",
            "SystemSharedMemoryRegister",
            "SystemSharedMemoryUnregister",
            "CudaSharedMemoryStatus",
            "CudaSharedMemoryRegister",
            "CudaSharedMemoryUnregister")
        .Unimplemented("trace and log settings are the operator's here, not the clients'", "TraceSetting", "LogSettings")
        .Build();

    private (string Model, string Version) Find(ServerCallContext call, string name, string version)
    {
        var target = api.Resolve(name, call.GetHttpContext());
        return (target.Model, target.VersionOf(version));
    }

    private static ValueTask<T> Answer<T>(T message) => ValueTask.FromResult(message);

    private async ValueTask<RepositoryModelLoadResponse> LoadAsync(ServerCallContext call, RepositoryModelLoadRequest request)
    {
        await api.LoadModelAsync(request, Caller.Of(call.GetHttpContext()), call.CancellationToken).ConfigureAwait(false);
        return new RepositoryModelLoadResponse { ModelName = ServingApi.ModelName(request.ModelName, request.RepositoryName), IsLoaded = true };
    }

    private async ValueTask<RepositoryModelUnloadResponse> UnloadAsync(ServerCallContext call, RepositoryModelUnloadRequest request)
    {
        await api.UnloadModelAsync(request, Caller.Of(call.GetHttpContext()), call.CancellationToken).ConfigureAwait(false);
        return new RepositoryModelUnloadResponse { ModelName = ServingApi.ModelName(request.ModelName, request.RepositoryName), IsUnloaded = true };
    }
}
