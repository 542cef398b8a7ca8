using System.Text;
using Cluster.Conformance.Clients;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;

namespace Cluster.Conformance.Support;

/// <summary>What tests of the shared server need again and again.</summary>
[Collection(ServerCollection.Name)]
public abstract class ServerTests(ServerFixture fixture)
{
    /// <summary>Both clients, for theories.</summary>
    public static TheoryData<string> Clients { get; } = new("python", "node");

    /// <summary>Both protocols by both clients, for theories.</summary>
    public static TheoryData<string, string> Interfaces { get; } = new()
    {
        { "gRPC", "python" }, { "gRPC", "node" }, { "REST", "python" }, { "REST", "node" },
    };

    protected ServerFixture Fixture { get; } = fixture;

    private protected string Url => Fixture.Server.HttpUrl;

    private protected string Target => Fixture.Server.GrpcTarget;

    /// <summary>Every combination of names, such as clients, with items, for theories.</summary>
    protected static TheoryData<string, string> Cross(IEnumerable<string> names, IEnumerable<string> items)
    {
        var data = new TheoryData<string, string>();
        foreach (var item in items)
        {
            foreach (var name in names)
            {
                data.Add(name, item);
            }
        }

        return data;
    }

    private protected Task<GrpcResult<ModelInferResponse>> InferAsync(string client, ModelInferRequest request, CallOptions? options = null) =>
        CallAsync<ModelInferResponse>(client, "ModelInfer", request, options);

    private protected Task<GrpcResult<T>> CallAsync<T>(string client, string method, IMessage request, CallOptions? options = null)
        where T : class, IMessage<T>, new() =>
        Fixture.Client(client).UnaryAsync<T>(Target, ClientDriver.InferenceService + method, request, options);

    private protected Task<HttpResult> HttpAsync(string client, HttpCall call) => Fixture.Client(client).HttpAsync(call);

    private protected Task<HttpResult> GetAsync(string client, string path) => HttpAsync(client, new HttpCall("GET", Url + path));

    private protected Task<HttpResult> PostAsync(string client, string path, string? body = null) =>
        HttpAsync(client, new HttpCall("POST", Url + path) { Body = body is null ? null : Encoding.UTF8.GetBytes(body) });

    /// <summary>Infers by either protocol, with binary tensors, and returns the answer.</summary>
    private protected async Task<InferAnswer> AnswerAsync(string protocol, string client, Infer request) => protocol == "gRPC"
        ? InferAnswer.Of(await InferAsync(client, request.Raw()))
        : InferAnswer.Of(await HttpAsync(client, request.Binary(Url)));

    /// <summary>Infers by either protocol and returns how it failed: gRPC's status name or HTTP's status code, and the message.</summary>
    private protected async Task<(string Status, string Message)> FailAsync(string protocol, string client, Infer request)
    {
        if (protocol == "gRPC")
        {
            var result = await InferAsync(client, request.Raw());
            return (result.Code, result.Details);
        }

        return Failure(await HttpAsync(client, request.Binary(Url)));
    }

    /// <summary>The status and message of an HTTP answer that is an error in the protocol's form.</summary>
    private protected static (string Status, string Message) Failure(HttpResult result)
    {
        Assert.True(result.Status >= 400, $"{result.Status} {result.Error} {result.Details}: {result.Text}");
        Assert.Equal("application/json", result.Headers["content-type"]);
        Assert.Equal("", result.ContentEncoding);
        return (result.Status.ToString(System.Globalization.CultureInfo.InvariantCulture), result.Json.GetProperty("error").GetString()!);
    }
}
