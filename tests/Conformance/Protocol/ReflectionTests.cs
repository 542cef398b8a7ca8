using Cluster.Conformance.Support;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit;
using V1 = Grpc.Reflection.V1;
using V1Alpha = Grpc.Reflection.V1Alpha;

namespace Cluster.Conformance.Protocol;

/// <summary>Server reflection, in the package that clients ask for today and in the one before.</summary>
public sealed class ReflectionTests(ServerFixture fixture) : ServerTests(fixture)
{
    private const string Inference = "inference.GRPCInferenceService";

    /// <summary>The messages of both packages are the same, so those of one serve to read the other's.</summary>
    public static TheoryData<string, string> Packages { get; } = Cross(["python", "node"], ["grpc.reflection.v1", "grpc.reflection.v1alpha"]);

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task ListServices_ByBothPackages_NamesEveryService(string client, string package)
    {
        var response = Assert.Single(await AskAsync(client, package, new V1.ServerReflectionRequest { ListServices = "" }));
        var services = response.ListServicesResponse.Service.Select(static service => service.Name).ToList();
        Assert.Contains(Inference, services);
        Assert.Contains("grpc.health.v1.Health", services);
        Assert.Contains("grpc.reflection.v1.ServerReflection", services);
        Assert.Contains("grpc.reflection.v1alpha.ServerReflection", services);
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task FileContainingSymbol_OfEachKind_AnswersDescriptorsThatBuild(string client, string package)
    {
        foreach (var symbol in new[] { Inference, Inference + ".ModelInfer", "inference.ModelInferRequest", "inference.ModelInferRequest.InferInputTensor" })
        {
            var response = Assert.Single(await AskAsync(client, package, new V1.ServerReflectionRequest { FileContainingSymbol = symbol }));
            var files = await WithDependenciesAsync(client, package, response);
            var built = FileDescriptor.BuildFromByteStrings(files);
            var file = built.Single(static candidate => candidate.Services.Count > 0);
            var service = Assert.Single(file.Services);
            Assert.Equal(Inference, service.FullName);
            Assert.True(service.FindMethodByName("ModelStreamInfer").IsServerStreaming);
            Assert.Equal(7, file.MessageTypes.Single(static message => message.Name == "ModelInferRequest").FindFieldByName("raw_input_contents").FieldNumber);
        }
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public async Task Reflection_UnknownNames_AreNotFoundAndTheStreamGoesOn(string client, string package)
    {
        var responses = await AskAsync(
            client,
            package,
            new V1.ServerReflectionRequest { FileContainingSymbol = "no.such.Symbol" },
            new V1.ServerReflectionRequest { FileByFilename = "nosuch.proto" },
            new V1.ServerReflectionRequest { ListServices = "*" });
        Assert.Equal(5, responses[0].ErrorResponse.ErrorCode);
        Assert.Equal(5, responses[1].ErrorResponse.ErrorCode);
        Assert.NotEmpty(responses[2].ListServicesResponse.Service);
    }

    private async Task<IReadOnlyList<V1.ServerReflectionResponse>> AskAsync(string client, string package, params V1.ServerReflectionRequest[] requests)
    {
        var method = package + ".ServerReflection/ServerReflectionInfo";
        if (package == "grpc.reflection.v1")
        {
            var result = await Fixture.Client(client).StreamAsync<V1.ServerReflectionResponse>(Target, method, requests);
            Assert.True(result.Code == "OK", result.Details);
            return result.Responses;
        }

        var alpha = requests.Select(static request => V1Alpha.ServerReflectionRequest.Parser.ParseFrom(request.ToByteArray()));
        var old = await Fixture.Client(client).StreamAsync<V1Alpha.ServerReflectionResponse>(Target, method, alpha);
        Assert.True(old.Code == "OK", old.Details);
        return [.. old.Responses.Select(static response => V1.ServerReflectionResponse.Parser.ParseFrom(response.ToByteArray()))];
    }

    /// <summary>The file and all that it needs, those needed first; what the answer leaves out is asked for by name.</summary>
    private async Task<List<ByteString>> WithDependenciesAsync(string client, string package, V1.ServerReflectionResponse response)
    {
        var known = new Dictionary<string, (FileDescriptorProto File, ByteString Bytes)>(StringComparer.Ordinal);
        Add(response);
        var ordered = new List<ByteString>();
        foreach (var name in known.Keys.ToList())
        {
            await VisitAsync(name);
        }

        return ordered;

        void Add(V1.ServerReflectionResponse answer)
        {
            Assert.Equal(V1.ServerReflectionResponse.MessageResponseOneofCase.FileDescriptorResponse, answer.MessageResponseCase);
            foreach (var bytes in answer.FileDescriptorResponse.FileDescriptorProto)
            {
                var file = FileDescriptorProto.Parser.ParseFrom(bytes);
                known[file.Name] = (file, bytes);
            }
        }

        async Task VisitAsync(string name)
        {
            if (!known.ContainsKey(name))
            {
                Add(Assert.Single(await AskAsync(client, package, new V1.ServerReflectionRequest { FileByFilename = name })));
            }

            foreach (var dependency in known[name].File.Dependency)
            {
                await VisitAsync(dependency);
            }

            if (!ordered.Contains(known[name].Bytes))
            {
                ordered.Add(known[name].Bytes);
            }
        }
    }
}
