using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Protocol;

/// <summary>The model_repository extension, and OVMS's config API.</summary>
public sealed class RepositoryTests(ServerFixture fixture) : ServerTests(fixture)
{
    private static readonly Infer Request = new("unloaded", Tensor.Fp32("b", [1, 10], new float[10]));

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RepositoryIndex_ByBothProtocols_HasARowForEachVersion(string client)
    {
        var grpc = (await CallAsync<RepositoryIndexResponse>(client, "RepositoryIndex", new RepositoryIndexRequest())).Response!.Models;
        var multi = grpc.Where(static row => row.Name == "multi_latest2").ToDictionary(static row => row.Version);
        Assert.Equal(["1", "2", "3"], multi.Keys.Order());
        Assert.Equal(("READY", ""), (multi["3"].State, multi["3"].Reason));
        Assert.Equal("READY", multi["2"].State);
        Assert.Equal("UNAVAILABLE", multi["1"].State);
        Assert.Contains("policy", multi["1"].Reason, StringComparison.Ordinal);
        var broken = Assert.Single(grpc, static row => row.Name == "broken");
        Assert.Equal("UNAVAILABLE", broken.State);
        Assert.Contains("model.onnx", broken.Reason, StringComparison.Ordinal);

        foreach (var body in new[] { null, "", "{}", "{\"ready\":false}" })
        {
            var rest = (await PostAsync(client, "/v2/repository/index", body)).Json;
            Assert.Equal(
                grpc.Select(static row => (row.Name, row.Version, row.State)),
                rest.EnumerateArray().Select(static row =>
                    (row.GetProperty("name").GetString()!, row.GetProperty("version").GetString()!, row.GetProperty("state").GetString()!)));
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task RepositoryIndex_ReadyOnly_LeavesTheOthersOut(string client)
    {
        var grpc = (await CallAsync<RepositoryIndexResponse>(client, "RepositoryIndex", new RepositoryIndexRequest { Ready = true })).Response!.Models;
        Assert.All(grpc, static row => Assert.Equal("READY", row.State));
        Assert.DoesNotContain(grpc, static row => row.Name == "broken");
        var rest = (await PostAsync(client, "/v2/repository/index", "{\"ready\":true}")).Json;
        Assert.Equal(grpc.Count, rest.GetArrayLength());
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task GrpcUnloadAndLoad_InTheFormsOfBothProtos_TakeEffect(string client)
    {
        foreach (var kserve in new[] { false, true })
        {
            var unload = kserve ? new RepositoryModelUnloadRequest { RepositoryName = "unloaded" } : new RepositoryModelUnloadRequest { ModelName = "unloaded" };
            var unloaded = await CallAsync<RepositoryModelUnloadResponse>(client, "RepositoryModelUnload", unload);
            Assert.Equal(("OK", "unloaded", true), (unloaded.Code, unloaded.Response!.ModelName, unloaded.Response.IsUnloaded));
            await AssertServedAsync(client, served: false);

            var load = kserve ? new RepositoryModelLoadRequest { RepositoryName = "unloaded" } : new RepositoryModelLoadRequest { ModelName = "unloaded" };
            var loaded = await CallAsync<RepositoryModelLoadResponse>(client, "RepositoryModelLoad", load);
            Assert.Equal(("OK", "unloaded", true), (loaded.Code, loaded.Response!.ModelName, loaded.Response.IsLoaded));
            await AssertServedAsync(client, served: true);
        }
    }

    [Theory]
    [InlineData("python", null)]
    [InlineData("node", "")]
    [InlineData("python", "{}")]
    [InlineData("node", "{\"parameters\":{}}")]
    public async Task RestUnloadAndLoad_WithAnyEmptyBody_TakeEffect(string client, string? body)
    {
        var unload = await PostAsync(client, "/v2/repository/models/unloaded/unload", body is "{}" ? "{\"parameters\":{\"unload_dependents\":true}}" : body);
        Assert.True(unload.Status == 200, unload.Text);
        await AssertServedAsync(client, served: false);
        var load = await PostAsync(client, "/v2/repository/models/unloaded/load", body);
        Assert.True(load.Status == 200, load.Text);
        Assert.True(load.Json.GetProperty("load").GetBoolean());
        await AssertServedAsync(client, served: true);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task Load_BrokenModel_SaysFailedToLoadWithTheCause(string client)
    {
        foreach (var model in new[] { "broken", "empty", "sequence_output" })
        {
            var grpc = await CallAsync<RepositoryModelLoadResponse>(client, "RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = model });
            Assert.Equal("UNAVAILABLE", grpc.Code);
            Assert.Contains($"failed to load model '{model}' version 1: ", grpc.Details, StringComparison.Ordinal);
            var result = await PostAsync(client, $"/v2/repository/models/{model}/load");
            var (status, message) = Failure(result);
            Assert.Equal("503", status);
            Assert.Contains($"failed to load model '{model}' version 1: ", message, StringComparison.Ordinal);
            Assert.Contains("retry-after", result.Headers.Keys);
        }
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task LoadAndUnload_UnknownModel_AreNotFound(string client)
    {
        Assert.Equal("NOT_FOUND", (await CallAsync<RepositoryModelLoadResponse>(client, "RepositoryModelLoad", new RepositoryModelLoadRequest { ModelName = "nosuch" })).Code);
        Assert.Equal("NOT_FOUND", (await CallAsync<RepositoryModelUnloadResponse>(client, "RepositoryModelUnload", new RepositoryModelUnloadRequest { ModelName = "nosuch" })).Code);
        foreach (var verb in new[] { "load", "unload" })
        {
            var (status, message) = Failure(await PostAsync(client, $"/v2/repository/models/nosuch/{verb}"));
            Assert.Equal("404", status);
            Assert.Contains("'nosuch'", message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("python", "{\"parameters\":{\"config\":\"{}\"}}", "config")]
    [InlineData("node", "{\"parameters\":{\"file:1/model.onnx\":\"AAEC\"}}", "file:1/model.onnx")]
    [InlineData("python", "{\"parameters\":[]}", "parameters")]
    [InlineData("node", "{", "JSON")]
    public async Task RestLoad_ParametersThatAreNotTaken_Are400AndNamed(string client, string body, string says)
    {
        var (status, message) = Failure(await PostAsync(client, "/v2/repository/models/add_one/load", body));
        Assert.Equal("400", status);
        Assert.Contains(says, message, StringComparison.Ordinal);
        Assert.Equal(200, (await GetAsync(client, "/v2/models/add_one/ready")).Status);
    }

    [Theory]
    [MemberData(nameof(Clients))]
    public async Task ConfigStatus_LikeOvms_HasEveryVersionsState(string client)
    {
        var config = (await GetAsync(client, "/v1/config")).Json;
        var status = config.GetProperty("add_one").GetProperty("model_version_status")[0];
        Assert.Equal("1", status.GetProperty("version").GetString());
        Assert.Equal("AVAILABLE", status.GetProperty("state").GetString());
        Assert.Equal("OK", status.GetProperty("status").GetProperty("error_code").GetString());
        var broken = config.GetProperty("broken").GetProperty("model_version_status")[0];
        Assert.NotEqual("AVAILABLE", broken.GetProperty("state").GetString());
        Assert.NotEqual("OK", broken.GetProperty("status").GetProperty("error_code").GetString());
        Assert.Contains("model.onnx", broken.GetProperty("status").GetProperty("error_message").GetString(), StringComparison.Ordinal);
        var policy = config.GetProperty("multi_latest2").GetProperty("model_version_status").EnumerateArray()
            .Single(static row => row.GetProperty("version").GetString() == "1");
        Assert.Equal("OK", policy.GetProperty("status").GetProperty("error_code").GetString());
    }

    [Fact]
    public async Task ConfigReload_NewVersion_IsServedWhenItIsAnswered()
    {
        var versions = Path.Combine(TestPaths.TestModels, "multi");
        Fixture.Models.AddVersion("added", 1, Path.Combine(versions, "1", "model.onnx"));
        Assert.Equal("NOT_FOUND", (await FailAsync("gRPC", "python", Added())).Status);
        Assert.Equal(200, (await PostAsync("python", "/v1/config/reload")).Status);
        Assert.Equal("1", (await AnswerAsync("gRPC", "python", Added())).Version);
        Fixture.Models.AddVersion("added", 2, Path.Combine(versions, "2", "model.onnx"));
        var reload = await PostAsync("node", "/v1/config/reload");
        Assert.Equal(200, reload.Status);
        Assert.Equal(2, reload.Json.GetProperty("added").GetProperty("model_version_status").GetArrayLength());
        var answer = await AnswerAsync("REST", "node", Added());
        Assert.Equal("2", answer.Version);
        Assert.Equal([12f], answer.Output.As<float>());

        static Infer Added() => new("added", Tensor.Fp32("INPUT0", [1], 10));
    }

    private async Task AssertServedAsync(string client, bool served)
    {
        if (served)
        {
            await AnswerAsync("gRPC", client, Request);
            await AnswerAsync("REST", client, Request);
            return;
        }

        var (grpc, why) = await FailAsync("gRPC", client, Request);
        Assert.Equal("NOT_FOUND", grpc);
        Assert.Contains("'unloaded'", why, StringComparison.Ordinal);
        Assert.Equal("404", (await FailAsync("REST", client, Request)).Status);
        var index = (await CallAsync<RepositoryIndexResponse>(client, "RepositoryIndex", new RepositoryIndexRequest())).Response!;
        Assert.Equal("UNAVAILABLE", index.Models.Single(static row => row.Name == "unloaded").State);
    }
}
