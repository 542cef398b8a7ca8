using System.Text.Json;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>What deploy/kubernetes/import-modelmesh makes of the objects of ModelMesh Serving are calls that the gateway takes.</summary>
public sealed class ImportModelMeshTests
{
    private const string Annotations = """ "annotations": {"serving.kserve.io/deploymentMode": "ModelMesh"} """;

    [Theory]
    [InlineData(
        "a/1/",
        """{"kind": "Predictor", "metadata": {"name": "p"}, "spec": {"modelType": {"name": "onnx"}, "path": "/a/1/", "storage": {"s3": {"secretKey": "k"}}}}""")]
    [InlineData(
        "b/model.onnx",
        """{"kind": "InferenceService", "metadata": {"name": "p", #}, "spec": {"predictor": {"model": {"modelFormat": {"name": "onnx"}, "storage": {"key": "k", "path": "b/./model.onnx"}}}}}""")]
    [InlineData(
        "c/d",
        """{"kind": "InferenceService", "metadata": {"name": "p", #}, "spec": {"predictor": {"model": {"modelFormat": {"name": "ONNX"}, "storageUri": "s3://bucket/c/d"}}}}""")]
    public async Task AModelInOnnx_BecomesACall(string path, string item)
    {
        var (lines, exit) = await RunAsync(item);

        var call = SetVModelRequest.Parser.ParseJson(Assert.Single(lines));
        Assert.Equal(("p", path.TrimEnd('/'), "onnx"), (call.VModelId, call.ModelInfo.Path, call.ModelInfo.Type));
        Assert.Matches("^p__[0-9a-f]{10}$", call.TargetModelId);
        Assert.True(call is { AutoDeleteTargetModel: true, LoadNow: true });
        Assert.Equal("0", exit);
    }

    [Theory]
    [InlineData(
        "a/1",
        """{"storage_key": "k", "bucket": "b"}""",
        """{"kind": "Predictor", "metadata": {"name": "p"}, "spec": {"modelType": {"name": "onnx"}, "path": "/a/1/", "storage": {"s3": {"secretKey": "k", "bucket": "b"}}}}""")]
    [InlineData(
        "b/model.onnx",
        """{"storage_key": "k"}""",
        """{"kind": "InferenceService", "metadata": {"name": "p", #}, "spec": {"predictor": {"model": {"modelFormat": {"name": "onnx"}, "storage": {"key": "k", "path": "b/./model.onnx"}}}}}""")]
    [InlineData(
        "s3://bucket/c/d",
        "",
        """{"kind": "InferenceService", "metadata": {"name": "p", #}, "spec": {"predictor": {"model": {"modelFormat": {"name": "ONNX"}, "storageUri": "s3://bucket/c/d"}}}}""")]
    public async Task AModelInABucket_MayStayThere(string path, string key, string item)
    {
        var (lines, exit) = await RunAsync(item, "--object-storage");

        var info = SetVModelRequest.Parser.ParseJson(Assert.Single(lines)).ModelInfo;
        Assert.Equal((path, key, "0"), (info.Path, info.Key, exit));
        RegisteredModelRules.Check("p", new RegisteredInfo(info.Type, info.Path, info.Key));
    }

    [Theory]
    [InlineData("its format is sklearn, and only onnx is served", """{"kind": "Predictor", "metadata": {"name": "p"}, "spec": {"modelType": {"name": "sklearn"}, "path": "a"}}""")]
    [InlineData("its path ../a leads out of its storage", """{"kind": "Predictor", "metadata": {"name": "p"}, "spec": {"modelType": {"name": "onnx"}, "path": "../a"}}""")]
    [InlineData("it names no path in its storage", """{"kind": "Predictor", "metadata": {"name": "p"}, "spec": {"modelType": {"name": "onnx"}}}""")]
    [InlineData("its deployment mode is not given, not ModelMesh", """{"kind": "InferenceService", "metadata": {"name": "p"}, "spec": {"predictor": {}}}""")]
    public async Task AnythingElse_IsLeftOutWithTheReason(string reason, string item)
    {
        var (lines, exit) = await RunAsync(item);

        Assert.Equal([$"{JsonDocument.Parse(item).RootElement.GetProperty("kind")} p is left out: {reason}"], lines);
        Assert.Equal("1", exit);
    }

    /// <summary>Both outputs together, and the exit code.</summary>
    private static async Task<(IReadOnlyList<string> Lines, string Exit)> RunAsync(string item, string option = "")
    {
        Requires.Python();
        using var folder = ModelFolder.Create();
        var file = Path.Combine(folder.Path, "list.json");
        await File.WriteAllTextAsync(file, $$"""{"kind": "List", "items": [{{item.Replace("#", Annotations, StringComparison.Ordinal)}}]}""");
        var said = await Command.RunAsync(
            "sh", ["-c", """python3 "$0" $2 <"$1" 2>&1; echo $?""", Path.Combine(TestPaths.Root, "deploy", "kubernetes", "import-modelmesh"), file, option]);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return (lines[..^1], lines[^1]);
    }
}
