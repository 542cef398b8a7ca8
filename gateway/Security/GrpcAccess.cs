using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Cluster.Gateway.Security;

/// <summary>What each gRPC method asks of its caller. One that is not named here is refused to all but those who may change every model.</summary>
internal static class GrpcAccess
{
    private const string KServe = "/inference.GRPCInferenceService/";
    private const string Mesh = "/mmesh.ModelMesh/";
    private const string Registry = "/mmesh.ModelMeshRegistry/";
    private const string Health = "/grpc.health.v1.Health/";

    private static readonly FrozenDictionary<string, RouteAccess> Methods = new Dictionary<string, RouteAccess>
    {
        [KServe + "ServerLive"] = RouteAccess.Health,
        [KServe + "ServerReady"] = RouteAccess.Health,
        [KServe + "ServerMetadata"] = RouteAccess.Client,
        [KServe + "ModelReady"] = RouteAccess.Read,
        [KServe + "ModelMetadata"] = RouteAccess.Read,
        [KServe + "ModelConfig"] = RouteAccess.Read,
        [KServe + "ModelStatistics"] = RouteAccess.Read,
        [KServe + "ModelInfer"] = RouteAccess.Infer,
        [KServe + "ModelStreamInfer"] = RouteAccess.StreamInfer,
        [KServe + "RepositoryIndex"] = RouteAccess.List,
        [KServe + "RepositoryModelLoad"] = RouteAccess.Manage,
        [KServe + "RepositoryModelUnload"] = RouteAccess.Manage,
        [KServe + "SystemSharedMemoryStatus"] = RouteAccess.Client,
        [KServe + "SystemSharedMemoryRegister"] = RouteAccess.Client,
        [KServe + "SystemSharedMemoryUnregister"] = RouteAccess.Client,
        [KServe + "CudaSharedMemoryStatus"] = RouteAccess.Client,
        [KServe + "CudaSharedMemoryRegister"] = RouteAccess.Client,
        [KServe + "CudaSharedMemoryUnregister"] = RouteAccess.Client,
        [KServe + "TraceSetting"] = RouteAccess.Client,
        [KServe + "LogSettings"] = RouteAccess.Client,
        [Mesh + "registerModel"] = RouteAccess.Manage,
        [Mesh + "unregisterModel"] = RouteAccess.Manage,
        [Mesh + "getModelStatus"] = RouteAccess.Read,
        [Mesh + "ensureLoaded"] = RouteAccess.Manage,
        [Mesh + "setVModel"] = RouteAccess.Manage,
        [Mesh + "deleteVModel"] = RouteAccess.Manage,
        [Mesh + "getVModelStatus"] = RouteAccess.Read,
        [Registry + "listModels"] = RouteAccess.List,
        [Registry + "listVModels"] = RouteAccess.List,
        [Registry + "watchModels"] = RouteAccess.List,
        [Health + "Check"] = RouteAccess.Health,
        [Health + "Watch"] = RouteAccess.Health,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = RouteAccess.Client,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = RouteAccess.Client,
    }.ToFrozenDictionary();

    /// <summary>States the right that each of a service's methods needs.</summary>
    public static T AskByMethod<T>(this T methods)
        where T : IEndpointConventionBuilder
    {
        methods.Add(static endpoint => endpoint.Metadata.Add(Of(((RouteEndpointBuilder)endpoint).RoutePattern.RawText ?? "")));
        return methods;
    }

    /// <param name="path">Such as <c>/inference.GRPCInferenceService/ModelInfer</c>; the library's routes for what no service has are patterns.</param>
    private static RouteAccess Of(string path) =>
        Methods.GetValueOrDefault(path) ?? (path.Contains('{', StringComparison.Ordinal) ? RouteAccess.Client : RouteAccess.ManageAll);
}
