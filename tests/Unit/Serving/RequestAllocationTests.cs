using System.Net;
using System.Runtime.InteropServices;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Grpc;
using Cluster.Unit.Tracing;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>
/// Bytes that processes allocate for one small request, from the socket and back, where the client allocates nothing. The ceilings are what was measured, and 30 % on top.
/// Counts the whole process, hence alone.
/// </summary>
[Collection(nameof(AllocationCollection))]
public sealed class RequestAllocationTests
{
    private const string Model = "identity";
    private const int WarmUp = 500;
    private const int Rounds = 3;
    private const int Requests = 1000;

    private static readonly float[] Input = [.. Enumerable.Range(0, 16).Select(static number => number + 0.5f)];

    /// <summary>One process, which is gateway and silo.</summary>
    [Fact]
    public async Task Request_ToTheSameProcess_AllocatesNoMoreThanItDid()
    {
        var server = await ServeHosts.StartAsync(("Cluster:Models", TestPaths.DemoModels), ("Cluster:PollSeconds", "0"));
        try
        {
            await CheckAsync(server, grpc: 3_100, rest: 5_500);
        }
        finally
        {
            await server.EndAsync();
        }
    }

    /// <summary>A gateway and a silo, each with what it allocates.</summary>
    [Fact]
    public async Task Request_ToAnotherProcess_AllocatesNoMoreThanItDid()
    {
        Requires.Redis();
        await using var redis = await RedisServer.StartNewAsync();
        var silo = await ServeHosts.StartAsync(
            ("Cluster:Role", "Silo"), ("Cluster:Redis", redis.Endpoint), ("Cluster:Models", TestPaths.DemoModels), ("Cluster:PollSeconds", "0"));
        var gateway = await ServeHosts.StartAsync(("Cluster:Role", "Gateway"), ("Cluster:Redis", redis.Endpoint));
        try
        {
            await CheckAsync(gateway, grpc: 9_300, rest: 10_300);
        }
        finally
        {
            await gateway.EndAsync();
            await silo.EndAsync();
        }
    }

    /// <param name="grpc">Bytes a request, at most.</param>
    /// <param name="rest">Bytes a request, at most.</param>
    private static async Task CheckAsync(WebApplication server, long grpc, long rest)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Urls.First()) };
        await http.UntilOkAsync($"v2/models/{Model}/ready", TestContext.Current.CancellationToken);

        using var calls = new QuietGrpcClient(EndPoint(server, 1), GrpcTestServer.Infer, Message().ToByteArray(), MemoryMarshal.AsBytes<float>(Input).ToArray());
        var byGrpc = Measure(calls);
        using var rests = new QuietRestClient(EndPoint(server, 0), $"/v2/models/{Model}/infer", Json(), "0.5,1.5,2.5");
        var byRest = Measure(rests);
        Assert.True(
            byGrpc <= grpc && byRest <= rest,
            $"a request allocates {byGrpc} bytes over gRPC, the ceiling is {grpc}, and {byRest} over REST, the ceiling is {rest}: what is new on the route allocates, or its worth is a higher ceiling");
    }

    /// <returns>Bytes a request: the least of some rounds, as what runs beside it allocates too.</returns>
    private static long Measure(QuietClient client)
    {
        Repeat(client, WarmUp);
        var least = long.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            Repeat(client, Requests);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return least / Requests;
    }

    private static void Repeat(QuietClient client, int count)
    {
        for (var i = 0; i < count; i++)
        {
            client.Ask();
        }
    }

    private static IPEndPoint EndPoint(WebApplication server, int index)
    {
        var address = new Uri(server.Urls.ElementAt(index));
        return new IPEndPoint(IPAddress.Loopback, address.Port);
    }

    private static ModelInferRequest Message() => new()
    {
        ModelName = Model,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "INPUT0", Datatype = "FP32", Shape = { 1, Input.Length } } },
        RawInputContents = { ByteString.CopyFrom(MemoryMarshal.AsBytes<float>(Input)) },
    };

    private static string Json() =>
        FormattableString.Invariant($$"""{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,{{Input.Length}}],"data":[{{string.Join(',', Input.Select(static number => FormattableString.Invariant($"{number}")))}}]}]}""");
}
