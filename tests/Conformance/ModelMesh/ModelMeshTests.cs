using System.Text;
using Cluster.Conformance.Clients;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Protocol.Mesh;
using Xunit;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using Event = Cluster.Contracts.Protocol.Mesh.WatchModelsResponse.EventOneofCase;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Conformance.ModelMesh;

/// <summary>What ModelMesh's clients do, done by clients that are not ours. Each test has names of its own on the shared server.</summary>
public sealed class ModelMeshTests(ModelMeshServer server) : IClassFixture<ModelMeshServer>
{
    private const string Registry = "mmesh.ModelMeshRegistry/";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task RoundTrip_RegisterInferUnregister_Works(string client)
    {
        var model = $"round-trip-{client}";
        Assert.Equal(Status.NotLoaded, (await server.RegisterAsync(client, model, "v2")).Status);
        var ready = await server.Client(client).UnaryAsync<ModelReadyResponse>(server.Target, ClientDriver.InferenceService + "ModelReady", new ModelReadyRequest { Name = model });
        Assert.True(ready.Response!.Ready);
        Assert.Equal((model, 12f), ModelMeshServer.Read((await server.InferAsync(client, "", ("mm-model-id", model))).Response!));

        var status = await server.CallAsync<ModelStatusInfo>(client, "getModelStatus", new GetStatusRequest { ModelId = model });
        Assert.Equal((Status.Loaded, Status.Loaded), (status.Status, Assert.Single(status.ModelCopyInfos).CopyStatus));

        await server.CallAsync<UnregisterModelResponse>(client, "unregisterModel", new UnregisterModelRequest { ModelId = model });
        Assert.Equal(Status.NotFound, (await server.CallAsync<ModelStatusInfo>(client, "getModelStatus", new GetStatusRequest { ModelId = model })).Status);
        Assert.Equal("NOT_FOUND", (await server.InferAsync(client, "", ("mm-model-id", model))).Code);
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task RegisterModel_Again_IsIdempotentUnlessItDiffers(string client)
    {
        var model = $"again-{client}";
        await server.RegisterAsync(client, model, "v1");
        await server.RegisterAsync(client, model, "v1");

        var conflict = await server.TryAsync<ModelStatusInfo>(client, "registerModel", ModelMeshServer.Registration(model, "v2"));
        var taken = await server.TryAsync<ModelStatusInfo>(client, "registerModel", ModelMeshServer.Registration("static", "v2"));
        var outside = await server.TryAsync<ModelStatusInfo>(client, "registerModel", ModelMeshServer.Registration("x", "../v2"));

        Assert.Equal(("ALREADY_EXISTS", "ALREADY_EXISTS", "INVALID_ARGUMENT"), (conflict.Code, taken.Code, outside.Code));
    }

    [Fact]
    public async Task RegisterModel_BrokenFile_IsAStatusWithTheCause()
    {
        var status = await server.RegisterAsync("python", "broken", "bad", loadNow: true);

        Assert.Equal(Status.LoadingFailed, status.Status);
        Assert.NotEmpty(status.Errors);
        Assert.Equal("UNAVAILABLE", (await server.InferAsync("python", "broken")).Code);
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task SetVModel_NewTarget_SwitchesAndRemovesTheOldOne(string client)
    {
        var alias = $"alias-{client}";
        var first = Target(alias, $"first-{client}", "v1");
        Assert.Equal(Status.Loaded, (await server.CallAsync<VModelStatusInfo>(client, "setVModel", first)).ActiveModelStatus.Status);
        var refused = await server.TryAsync<UnregisterModelResponse>(
            client, "unregisterModel", new UnregisterModelRequest { ModelId = first.TargetModelId });
        Assert.Equal("FAILED_PRECONDITION", refused.Code);

        var wrong = Target(alias, $"second-{client}", "v3");
        wrong.ExpectedTargetModelId = "another";
        Assert.Equal("FAILED_PRECONDITION", (await server.TryAsync<VModelStatusInfo>(client, "setVModel", wrong)).Code);
        var right = wrong.Clone();
        right.ExpectedTargetModelId = first.TargetModelId;
        var status = await server.CallAsync<VModelStatusInfo>(client, "setVModel", right);

        Assert.Equal((AliasStatus.Defined, right.TargetModelId), (status.Status, status.ActiveModelId));
        Assert.Equal((right.TargetModelId, 13f), ModelMeshServer.Read((await server.InferAsync(client, alias)).Response!));
        var gone = await server.CallAsync<ModelStatusInfo>(client, "getModelStatus", new GetStatusRequest { ModelId = first.TargetModelId });
        Assert.Equal(Status.NotFound, gone.Status);
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task SetVModel_BrokenTarget_KeepsTheOldOne(string client)
    {
        var alias = $"stays-{client}";
        await server.CallAsync<VModelStatusInfo>(client, "setVModel", Target(alias, $"good-{client}", "v1"));

        var status = await server.CallAsync<VModelStatusInfo>(client, "setVModel", Target(alias, $"bad-{client}", "bad"));

        Assert.Equal((AliasStatus.TransitionFailed, $"good-{client}", Status.LoadingFailed), (status.Status, status.ActiveModelId, status.TargetModelStatus.Status));
        Assert.Equal(11f, ModelMeshServer.Read((await server.InferAsync(client, alias)).Response!).Answer);
        await server.CallAsync<DeleteVModelResponse>(client, "deleteVModel", new DeleteVModelRequest { VModelId = alias });
        Assert.Equal(
            new VModelStatusInfo(), await server.CallAsync<VModelStatusInfo>(client, "getVModelStatus", new GetVModelStatusRequest { VModelId = alias }));
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task Headers_OverGrpc_ChooseTheModel(string client)
    {
        var model = $"modèle-{client}";
        var alias = $"headers-{client}";
        await server.CallAsync<VModelStatusInfo>(client, "setVModel", Target(alias, model, "v2"));

        Assert.Equal((model, 12f), ModelMeshServer.Read((await server.InferAsync(client, "static", ("mm-vmodel-id", alias))).Response!));
        Assert.Equal((model, 12f), ModelMeshServer.Read((await server.InferAsync(client, "", ("mm-model-id-bin", Base64(model)))).Response!));
        Assert.Equal("INVALID_ARGUMENT", (await server.InferAsync(client, "static", ("mm-model-id", "static"), ("mm-vmodel-id", alias))).Code);
        Assert.Equal("NOT_FOUND", (await server.InferAsync(client, "static", ("mm-vmodel-id", "static"))).Code);
        Assert.Equal("NOT_FOUND", (await server.InferAsync(client, "static", ("mm-model-id", alias))).Code);

        var metadata = await server.Client(client).UnaryAsync<ModelMetadataResponse>(
            server.Target, ClientDriver.InferenceService + "ModelMetadata", new ModelMetadataRequest { Name = alias });
        Assert.Equal(model, metadata.Response!.Name);
    }

    [Fact]
    public async Task Headers_OverRest_ChooseTheModel()
    {
        await server.CallAsync<VModelStatusInfo>("python", "setVModel", Target("rest-alias", "rest-model", "v2"));

        Assert.Equal((200, "rest-model", 12f), await PostAsync("rest-alias"));
        Assert.Equal((200, "rest-model", 12f), await PostAsync("static", ("mm-vmodel-id", "rest-alias")));
        Assert.Equal((200, "rest-model", 12f), await PostAsync("static", ("mm-model-id-bin", Base64("rest-model"))));
        Assert.Equal((200, "static", 11f), await PostAsync("static"));
        Assert.Equal(400, (await PostAsync("static", ("mm-vmodel-id", "rest-alias"), ("mm-model-id", "static"))).Status);
        Assert.Equal(404, (await PostAsync("static", ("mm-vmodel-id", "unknown"))).Status);
        var ready = await server.Client("python").HttpAsync(new HttpCall("GET", server.Url + "/v2/models/rest-alias/ready"));
        Assert.Equal(200, ready.Status);
    }

    [Theory]
    [InlineData("python")]
    [InlineData("node")]
    public async Task ListAndWatch_WhatChanges_IsSeen(string client)
    {
        var driver = server.Client(client);
        var watch = driver.StartServerStream<WatchModelsResponse>(server.Target, Registry + "watchModels", new WatchModelsRequest { ChangesOnly = true });
        await watch.AwaitResponsesAsync(1, Patience);
        var model = $"watched-{client}";
        await server.CallAsync<VModelStatusInfo>(client, "setVModel", Target($"watcher-{client}", model, "v1"));

        var listed = (await driver.UnaryAsync<ListModelsResponse>(
            server.Target, Registry + "listModels", new ListModelsRequest { Prefix = model })).Response!.Models;
        var aliases = (await driver.UnaryAsync<ListVModelsResponse>(
            server.Target, Registry + "listVModels", new ListVModelsRequest { Prefix = $"watcher-{client}" })).Response!.VModels;
        Assert.Equal((ModelEntry.Types.Origin.Registered, "v1", true), (listed[0].Origin, listed[0].ModelInfo.Path, listed[0].AutoDelete));
        Assert.Equal([$"watcher-{client}"], Assert.Single(listed).VModelIds);
        Assert.Equal(model, Assert.Single(aliases).Status.ActiveModelId);
        await server.CallAsync<DeleteVModelResponse>(client, "deleteVModel", new DeleteVModelRequest { VModelId = $"watcher-{client}" });

        var events = await UntilAsync(count => watch.AwaitResponsesAsync(count, TimeSpan.FromSeconds(1)), item => item.ModelRemoved == model);
        await watch.CancelAsync();
        await watch.Completion;

        Assert.Equal(Event.InSync, events[0].EventCase);
        Assert.Contains(events, item => item.Model?.ModelId == model && item.Model.Status.Status == Status.Loaded);
        Assert.Contains(events, item => item.VModel?.VModelId == $"watcher-{client}" && item.VModel.Status.ActiveModelId == model);
        Assert.Contains(events, item => item.VModelRemoved == $"watcher-{client}");
    }

    private static SetVModelRequest Target(string alias, string model, string path) => new()
    {
        VModelId = alias,
        TargetModelId = model,
        ModelInfo = new ModelInfo { Type = "mt:onnx", Path = path },
        AutoDeleteTargetModel = true,
        LoadNow = true,
        Sync = true,
    };

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static async Task<IReadOnlyList<WatchModelsResponse>> UntilAsync(
        Func<int, Task<IReadOnlyList<WatchModelsResponse>>> read, Func<WatchModelsResponse, bool> last)
    {
        for (var count = 1; ; count++)
        {
            var events = await read(count).WaitAsync(Patience);
            Assert.True(count < 60, $"did not come, but {string.Join(", ", events)}");
            if (events.Any(last))
            {
                return events;
            }
        }
    }

    private async Task<(int Status, string Model, float Answer)> PostAsync(string model, params (string Name, string Value)[] headers)
    {
        var result = await server.Client("python").HttpAsync(new HttpCall("POST", $"{server.Url}/v2/models/{model}/infer")
        {
            Headers = headers.Select(header => KeyValuePair.Create(header.Name, header.Value)),
            Body = """{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1],"data":[10]}]}"""u8.ToArray(),
        });
        return result.Status == 200
            ? (200, result.Json.GetProperty("model_name").GetString()!, result.Json.GetProperty("outputs")[0].GetProperty("data")[0].GetSingle())
            : (result.Status, "", 0);
    }
}
