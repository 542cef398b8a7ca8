using Cluster.Conformance.Support;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Grpc.Reflection.V1;
using Xunit;
using StatusCode = Grpc.Core.StatusCode;

namespace Cluster.Conformance.Protocol;

/// <summary>Grpc.Net.Client, the third client that is not ours: gRPC-Web, rich errors, and clients that packages bring.</summary>
public sealed class DotnetClientTests(ServerFixture fixture) : ServerTests(fixture)
{
    public static TheoryData<string> Forms { get; } = new("gRPC", "gRPC-Web", "gRPC-Web text");

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task ModelInfer_AnyForm_IsAnswered(string form)
    {
        using var channel = Open(form);
        var request = new Infer("vector_fp32", Tensor.Fp32("INPUT0", [100_000], [.. Enumerable.Range(0, 100_000).Select(static value => value / 7f)]));

        var answer = await CallAsync(channel, "ModelInfer", request.Raw(), ModelInferResponse.Parser);

        Assert.Equal(request.Inputs[0].Data, InferAnswer.Of(answer).Output.Data);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task ModelInfer_ModelThatFailedToLoad_TellsWhenToRetryAsARichError(string form)
    {
        using var channel = Open(form);

        var refused = await Assert.ThrowsAsync<RpcException>(
            () => CallAsync(channel, "ModelInfer", new ModelInferRequest { ModelName = "broken" }, ModelInferResponse.Parser));

        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        var status = refused.GetRpcStatus();
        Assert.Equal(((int)StatusCode.Unavailable, refused.Status.Detail), (status!.Code, status.Message));
        Assert.True(status.GetDetail<RetryInfo>()!.RetryDelay.ToTimeSpan() > TimeSpan.Zero);
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public async Task Watch_Health_TellsTheStateAtOnce(string form)
    {
        using var channel = Open(form);
        using var call = new Health.HealthClient(channel).Watch(new HealthCheckRequest());

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).Soon());

        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, call.ResponseStream.Current.Status);
    }

    /// <summary>Knows the reflection service and nothing else: what it calls, and how the answer reads, it learns from the server.</summary>
    [Fact]
    public async Task Reflection_ClientThatKnowsNothing_FindsAndCallsAMethod()
    {
        using var channel = Open("gRPC");
        using var call = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo();
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "" });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).Soon());
        var name = call.ResponseStream.Current.ListServicesResponse.Service
            .Select(static service => service.Name)
            .Single(static service => service.EndsWith("InferenceService", StringComparison.Ordinal));
        await call.RequestStream.WriteAsync(new ServerReflectionRequest { FileContainingSymbol = name });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).Soon());
        var files = FileDescriptor.BuildFromByteStrings(call.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto.Reverse());
        await call.RequestStream.CompleteAsync();
        var method = files.SelectMany(static file => file.Services).Single(service => service.FullName == name).FindMethodByName("ServerMetadata");

        var answer = await channel.CreateCallInvoker().AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, name, method.Name, Bytes, Bytes), null, default, []).ResponseAsync.Soon();

        var field = method.OutputType.FindFieldByName("name");
        var input = new CodedInputStream(answer);
        Assert.Equal(WireFormat.MakeTag(field.FieldNumber, WireFormat.WireType.LengthDelimited), input.ReadTag());
        Assert.Equal("cluster", input.ReadString());
    }

    private static Marshaller<byte[]> Bytes { get; } = Marshallers.Create(static (byte[] bytes) => bytes, static bytes => bytes);

    private static async Task<TResponse> CallAsync<TRequest, TResponse>(
        GrpcChannel channel, string method, TRequest request, MessageParser<TResponse> parser)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage<TResponse>
    {
        var answer = await channel.CreateCallInvoker().AsyncUnaryCall(
            new Method<byte[], byte[]>(MethodType.Unary, InferenceReflection.Descriptor.Services[0].FullName, method, Bytes, Bytes),
            null,
            default,
            request.ToByteArray()).ResponseAsync.Soon();
        return parser.ParseFrom(answer);
    }

    private GrpcChannel Open(string form) => form == "gRPC"
        ? GrpcChannel.ForAddress("http://" + Target)
        : GrpcChannel.ForAddress(Url, new GrpcChannelOptions
        {
            HttpHandler = new GrpcWebHandler(form == "gRPC-Web" ? GrpcWebMode.GrpcWeb : GrpcWebMode.GrpcWebText, new HttpClientHandler()),
            HttpVersion = System.Net.HttpVersion.Version11,
            DisposeHttpClient = true,
        });
}
