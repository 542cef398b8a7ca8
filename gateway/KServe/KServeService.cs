using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.KServe;

/// <summary><c>inference.GRPCInferenceService</c>: the gRPC form of <see cref="IServingApi"/>.</summary>
internal sealed class KServeService(IServingApi api, StreamInference streams)
{
    private const string NoSharedMemory = "shared memory is not offered: send tensors in raw_input_contents";
    private const string NoTracing = "trace and log settings are the operator's here, not the clients'";

    public void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGrpcService(InferenceReflection.Descriptor.Services[0], Configure);

    /// <summary>Reads what routing needs of a request and leaves the tensors alone.</summary>
    internal static InferCall Read(IServingApi api, GrpcCallContext call, PayloadBuffer message)
    {
        var bytes = message.Span;
        var header = InferRequestHeader.Scan(bytes);
        var target = api.Resolve(Encoding.UTF8.GetString(header.ModelName.Of(bytes)), call.Metadata);
        return new InferCall(target.Model, Encoding.UTF8.GetString(header.ModelVersion.Of(bytes)), message, Protocol.Grpc, call.Remaining)
        {
            Alias = target.Alias,
        };
    }

    private void Configure(GrpcServiceBuilder service)
    {
        service
            .Unary("ServerLive", ServerLiveRequest.Parser, (_, _) => Answer(new ServerLiveResponse { Live = true }))
            .Unary("ServerReady", ServerReadyRequest.Parser, (_, _) => Answer(new ServerReadyResponse { Ready = api.IsReady }))
            .Unary("ServerMetadata", ServerMetadataRequest.Parser, (_, _) => Answer(api.GetServerMetadata()))
            .Unary("ModelReady", ModelReadyRequest.Parser, (call, request) =>
                Answer(new ModelReadyResponse { Ready = api.IsModelReady(Model(call, request.Name), request.Version, Protocol.Grpc) }))
            .Unary("ModelMetadata", ModelMetadataRequest.Parser, (call, request) =>
                api.GetModelMetadataAsync(Model(call, request.Name), request.Version, Protocol.Grpc, call.CancellationToken))
            .Unary("ModelConfig", ModelConfigRequest.Parser, async (call, request) =>
                new ModelConfigResponse { Config = await api.GetModelConfigAsync(Model(call, request.Name), request.Version, call.CancellationToken).ConfigureAwait(false) })
            .Unary("ModelStatistics", ModelStatisticsRequest.Parser, (call, request) =>
                api.GetModelStatisticsAsync(Model(call, request.Name), request.Version, call.CancellationToken))
            .Unary("RepositoryIndex", RepositoryIndexRequest.Parser, (_, request) => Answer(api.GetRepositoryIndex(request.Ready)))
            .Unary("RepositoryModelLoad", RepositoryModelLoadRequest.Parser, LoadAsync)
            .Unary("RepositoryModelUnload", RepositoryModelUnloadRequest.Parser, UnloadAsync)
            .RawUnary("ModelInfer", InferAsync, InferRequestHeader.PaddingFor)
            .RawStream("ModelStreamInfer", streams.RunAsync, InferRequestHeader.PaddingFor)
            .Unimplemented("SystemSharedMemoryStatus", NoSharedMemory)
            .Unimplemented("SystemSharedMemoryRegister", NoSharedMemory)
            .Unimplemented("SystemSharedMemoryUnregister", NoSharedMemory)
            .Unimplemented("CudaSharedMemoryStatus", NoSharedMemory)
            .Unimplemented("CudaSharedMemoryRegister", NoSharedMemory)
            .Unimplemented("CudaSharedMemoryUnregister", NoSharedMemory)
            .Unimplemented("TraceSetting", NoTracing)
            .Unimplemented("LogSettings", NoTracing);
    }

    private string Model(GrpcCallContext call, string name) => api.Resolve(name, call.Metadata).Model;

    private static ValueTask<T> Answer<T>(T message) => ValueTask.FromResult(message);

    private async ValueTask<GrpcReply> InferAsync(GrpcCallContext call, PayloadBuffer message)
    {
        InferCall request;
        try
        {
            request = Read(api, call, message);
        }
        catch (ServingException exception)
        {
            message.Dispose();
            return exception.Failure;
        }

        var reply = await api.InferAsync(request, call.CancellationToken).ConfigureAwait(false);
        return reply.Succeeded ? GrpcReply.FromMessage(reply.Message) : GrpcReply.FromFailure(reply.Failure);
    }

    private async ValueTask<RepositoryModelLoadResponse> LoadAsync(GrpcCallContext call, RepositoryModelLoadRequest request)
    {
        await api.LoadModelAsync(request, call.CancellationToken).ConfigureAwait(false);
        return new RepositoryModelLoadResponse { ModelName = ServingApi.ModelName(request.ModelName, request.RepositoryName), IsLoaded = true };
    }

    private async ValueTask<RepositoryModelUnloadResponse> UnloadAsync(GrpcCallContext call, RepositoryModelUnloadRequest request)
    {
        await api.UnloadModelAsync(request, call.CancellationToken).ConfigureAwait(false);
        return new RepositoryModelUnloadResponse { ModelName = ServingApi.ModelName(request.ModelName, request.RepositoryName), IsUnloaded = true };
    }
}
