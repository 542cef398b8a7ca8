using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.ModelMesh;

/// <summary><c>mmesh.ModelMesh</c> and <c>mmesh.ModelMeshRegistry</c>; docs/modelmesh.md says where the former differs from ModelMesh's own.</summary>
internal sealed class ModelMeshService(ManagedModels models, ManagedAliases aliases, RegistrationQuota quota, RegistryWatch watch, ControlCalls control, CallBoundary boundary)
{
    private const int MaxNameLength = 255;

    public void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGrpcService(Service("ModelMesh")
            .Unary("registerModel", RegisterModelRequest.Parser, Steady<RegisterModelRequest, ModelStatusInfo>(RegisterAsync))
            .Unary("unregisterModel", UnregisterModelRequest.Parser, Steady<UnregisterModelRequest, UnregisterModelResponse>(UnregisterAsync))
            .Unary("getModelStatus", GetStatusRequest.Parser, Steady<GetStatusRequest, ModelStatusInfo>(async (call, request) =>
                await models.GetStatusAsync(Allowed(call, Permission.Read, Required(request.ModelId, "modelId"))).ConfigureAwait(false)))
            .Unary("ensureLoaded", EnsureLoadedRequest.Parser, Steady<EnsureLoadedRequest, ModelStatusInfo>(async (call, request) =>
                await models.LoadAsync(Allowed(call, Permission.Manage, Required(request.ModelId, "modelId")), request.Sync, call.CancellationToken).ConfigureAwait(false)))
            .Unary("setVModel", SetVModelRequest.Parser, Steady<SetVModelRequest, VModelStatusInfo>(SetAliasAsync))
            .Unary("deleteVModel", DeleteVModelRequest.Parser, Steady<DeleteVModelRequest, DeleteVModelResponse>(DeleteAliasAsync))
            .Unary("getVModelStatus", GetVModelStatusRequest.Parser, Steady<GetVModelStatusRequest, VModelStatusInfo>(GetAliasAsync))
            .Build()).AskByMethod().LiftBodyLimits();
        endpoints.MapGrpcService(Service("ModelMeshRegistry")
            .Unary("listModels", ListModelsRequest.Parser, Steady<ListModelsRequest, ListModelsResponse>(ListModelsAsync))
            .Unary("listVModels", ListVModelsRequest.Parser, Steady<ListVModelsRequest, ListVModelsResponse>(ListAliasesAsync))
            .ServerStream<WatchModelsRequest, WatchModelsResponse>("watchModels", WatchModelsRequest.Parser, watch.RunAsync)
            .Build()).AskByMethod().LiftBodyLimits();
    }

    private TypedService Service(string name) => new(ModelMeshReflection.Descriptor.Services.Single(service => service.Name == name), boundary);

    private static string? Optional(string text) => text.Length > 0 ? text : null;

    /// <summary>No name is longer. A longer text must not come back in an error.</summary>
    private static string Required(string text, string field) => text.Length switch
    {
        0 => throw ServingException.InvalidArgument($"{field} is empty, expected a name"),
        > MaxNameLength => throw ServingException.InvalidArgument($"{field} is longer than {MaxNameLength} characters"),
        _ => text,
    };

    private static string Allowed(ServerCallContext call, Permission permission, string name)
    {
        Caller.Of(call.GetHttpContext()).Demand(permission, name);
        return name;
    }

    private static void DemandPlace(ServerCallContext call, string path) => Allowed(call, Permission.Manage, RegisteredPlace.NameOf(path));

    private Func<ServerCallContext, TRequest, ValueTask<TResponse>> Steady<TRequest, TResponse>(Func<ServerCallContext, TRequest, ValueTask<TResponse>> method) =>
        (call, request) => control.RunAsync(() => method(call, request), call.CancellationToken);

    private static RegisteredInfo Info(ModelInfo info) => new(info.Type, info.Path, info.Key);

    private async ValueTask<ModelStatusInfo> RegisterAsync(ServerCallContext call, RegisterModelRequest request)
    {
        if (request.ModelInfo is not null)
        {
            DemandPlace(call, request.ModelInfo.Path);
        }

        var model = Allowed(call, Permission.Manage, Required(request.ModelId, "modelId"));
        if (request.ModelInfo is null)
        {
            throw ServingException.InvalidArgument($"model '{model}': modelInfo is missing");
        }

        using var place = quota.Take(Caller.Of(call.GetHttpContext()), model);
        return await models.RegisterAsync(model, Info(request.ModelInfo), request.LoadNow, request.Sync, call.CancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<UnregisterModelResponse> UnregisterAsync(ServerCallContext call, UnregisterModelRequest request)
    {
        await models.UnregisterAsync(Allowed(call, Permission.Manage, Required(request.ModelId, "modelId"))).ConfigureAwait(false);
        return new UnregisterModelResponse();
    }

    private async ValueTask<VModelStatusInfo> SetAliasAsync(ServerCallContext call, SetVModelRequest request)
    {
        // An empty modelInfo is none, as with ModelMesh.
        var info = request.ModelInfo is { } given && given.CalculateSize() > 0 ? Info(given) : null;
        if (info is not null)
        {
            DemandPlace(call, info.Path);
        }

        var change = new AliasChange
        {
            Target = Allowed(call, Permission.Manage, Required(request.TargetModelId, "targetModelId")),
            Owner = Optional(request.Owner),
            Info = info,
            AutoDelete = request.AutoDeleteTargetModel,
            UpdateOnly = request.UpdateOnly,
            Force = request.Force,
            Expected = Optional(request.ExpectedTargetModelId),
        };
        var alias = Allowed(call, Permission.Manage, Required(request.VModelId, "vModelId"));
        var caller = Caller.Of(call.GetHttpContext());
        using var place = info is null ? default(IDisposable) : quota.Take(caller, change.Target);
        var status = await aliases.SetAsync(alias, change, request.LoadNow, request.Sync, call.CancellationToken).ConfigureAwait(false);
        return status.For(caller);
    }

    private async ValueTask<VModelStatusInfo> GetAliasAsync(ServerCallContext call, GetVModelStatusRequest request)
    {
        var alias = Required(request.VModelId, "vModelId");
        var caller = Caller.Of(call.GetHttpContext());
        var status = await aliases.GetStatusAsync(alias, Optional(request.Owner)).ConfigureAwait(false);
        if (!caller.MaySee(alias, status.ActiveModelId))
        {
            throw new ServingException(caller.Refuse(Permission.Read, alias));
        }

        caller.Note(alias);
        return status.For(caller);
    }

    private async ValueTask<DeleteVModelResponse> DeleteAliasAsync(ServerCallContext call, DeleteVModelRequest request)
    {
        await aliases.DeleteAsync(Allowed(call, Permission.Manage, Required(request.VModelId, "vModelId")), Optional(request.Owner)).ConfigureAwait(false);
        return new DeleteVModelResponse();
    }

    private async ValueTask<ListModelsResponse> ListModelsAsync(ServerCallContext call, ListModelsRequest request)
    {
        var caller = Caller.Of(call.GetHttpContext());
        var all = (await models.ListAsync().ConfigureAwait(false)).Where(model => caller.May(Permission.Read, model.ModelId));
        var (page, next) = Pages.Cut(all, model => model.ModelId, request.Prefix, request.PageSize, request.PageToken);
        return new ListModelsResponse { Models = { page }, NextPageToken = next };
    }

    private async ValueTask<ListVModelsResponse> ListAliasesAsync(ServerCallContext call, ListVModelsRequest request)
    {
        var caller = Caller.Of(call.GetHttpContext());
        var all = aliases.List().Where(alias => (request.Owner.Length == 0 || alias.Owner == request.Owner) && caller.MaySee(alias.Alias, alias.Active));
        var (page, next) = Pages.Cut(all, alias => alias.Alias, request.Prefix, request.PageSize, request.PageToken);
        var response = new ListVModelsResponse { NextPageToken = next };
        foreach (var alias in page)
        {
            if (await aliases.FindAsync(alias.Alias).ConfigureAwait(false) is { } entry)
            {
                entry.Status = entry.Status.For(caller);
                response.VModels.Add(entry);
            }
        }

        return response;
    }
}

/// <summary>Event ids 3200 to 3219.</summary>
internal static partial class Log
{
    [LoggerMessage(3200, LogLevel.Warning, "Did not load {Model}, which a client had asked for without waiting")]
    public static partial void LoadNotCarriedOut(ILogger logger, Exception exception, string model);
}
