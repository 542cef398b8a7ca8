using Cluster.Tests.Common;
using Google.Protobuf;

namespace Cluster.Conformance.Fuzz;

/// <summary>Makes the cases of a storm; each depends on the seed and its number alone.</summary>
internal sealed class FuzzCases(int seed)
{
    private const string Infer = GrpcClient.Inference + "ModelInfer";
    private const string StreamInfer = GrpcClient.Inference + "ModelStreamInfer";

    private static readonly string[] OtherMethods =
    [
        GrpcClient.Inference + "ModelMetadata", GrpcClient.Inference + "ModelConfig", GrpcClient.Inference + "ModelStatistics", GrpcClient.Inference + "ModelReady",
        GrpcClient.Inference + "RepositoryIndex", GrpcClient.Inference + "ServerMetadata", GrpcClient.Inference + "SystemSharedMemoryStatus",
        GrpcClient.Inference + "NoSuchMethod", "/no.such.Service/Method", "/grpc.health.v1.Health/Check",
    ];

    public FuzzCase Create(int number)
    {
        var random = new Random(Scatter(seed, number));
        return random.Next(1000) switch
        {
            < 30 => ValidMessage(random, number),
            < 60 => RestCases.Valid(random, number),
            < 200 => Grpc(number, "gRPC bytes", ByteMutator.Mutate(random, Seed(random), Seed(random))),
            < 400 => Grpc(number, "gRPC fields", WireMutator.Mutate(random, Seed(random))),
            < 600 => Grpc(number, "gRPC values", Mutated(random)),
            < 640 => Streamed(random, number),
            < 690 => FramingCases.Create(random, number, Infer, Seed(random)),
            < 715 => OtherMethod(random, number),
            < 998 => RestCases.Create(random, number),
            < 999 => RawCases.Http(random, number),
            _ => RawCases.Http2(random, number),
        };
    }

    /// <summary>Seeds far apart for neighbours: from close seeds <see cref="Random"/> begins with close numbers.</summary>
    private static int Scatter(int seed, int number)
    {
        var bits = ((ulong)(uint)seed << 32) | (uint)number;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return (int)(bits >> 32);
    }

    private static byte[] Seed(Random random) => new SeedRequest(random).ToMessage().ToByteArray();

    private static byte[] Mutated(Random random)
    {
        var message = new SeedRequest(random).ToMessage();
        MessageMutator.Mutate(random, message);
        return message.ToByteArray();
    }

    private static FuzzCase Grpc(int number, string kind, byte[] message) => new(number, Channel.Grpc, kind, "", Infer, GrpcFraming.Frame(message));

    private static FuzzCase ValidMessage(Random random, int number)
    {
        var seed = new SeedRequest(random);
        return Grpc(number, "gRPC valid", seed.ToMessage().ToByteArray()) with
        {
            IsValid = true,
            Expected = seed.Model.GivesInputBack ? seed.Inputs[0] : null,
        };
    }

    private static FuzzCase Streamed(Random random, int number)
    {
        var body = new List<byte>();
        for (var left = random.Next(6); left > 0; left--)
        {
            body.AddRange(GrpcFraming.Frame(random.Next(4) switch
            {
                0 => Seed(random),
                1 => ByteMutator.Mutate(random, Seed(random), []),
                2 => WireMutator.Mutate(random, Seed(random)),
                _ => Mutated(random),
            }));
        }

        return new FuzzCase(number, Channel.GrpcStream, "gRPC stream", "", StreamInfer, [.. body]);
    }

    private static FuzzCase OtherMethod(Random random, int number)
    {
        // All these requests begin with a name and a version, as ModelReadyRequest does.
        var message = new Contracts.Protocol.ModelReadyRequest { Name = random.Pick(ModelShape.All).Name, Version = random.OneIn(2) ? "1" : "" }.ToByteArray();
        var mutated = random.OneIn(2) ? WireMutator.Mutate(random, message) : ByteMutator.Mutate(random, message, Seed(random));
        return new FuzzCase(number, Channel.Grpc, "gRPC other methods", "", random.Pick(OtherMethods), GrpcFraming.Frame(mutated));
    }
}
