// Asks over gRPC which digit a picture shows.
// Usage: dotnet run [tensor.fp32 [host:port]]
using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Tensor = Cluster.Contracts.Protocol.ModelInferRequest.Types.InferInputTensor;

var file = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "seven.fp32");
var address = args.Length > 1 ? args[1] : "127.0.0.1:8001";

var request = new ModelInferRequest
{
    ModelName = "digits",
    Inputs = { new Tensor { Name = "image", Datatype = "FP32", Shape = { 1, 1, 28, 28 } } },
    RawInputContents = { UnsafeByteOperations.UnsafeWrap(await File.ReadAllBytesAsync(file)) },
};

using var channel = GrpcChannel.ForAddress($"http://{address}");
var client = new GRPCInferenceService.GRPCInferenceServiceClient(channel);
try
{
    var response = await client.ModelInferAsync(request, deadline: TimeProvider.System.GetUtcNow().AddSeconds(10).UtcDateTime);

    // A raw tensor is little-endian, as this processor is.
    float[] probabilities = [.. MemoryMarshal.Cast<byte, float>(response.RawOutputContents[0].Span)];
    var digit = Array.IndexOf(probabilities, probabilities.Max());
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{response.ModelName} version {response.ModelVersion}: {digit} ({100 * probabilities[digit]:F1}%)"));
    return 0;
}
catch (RpcException exception)
{
    Console.Error.WriteLine($"{exception.StatusCode}: {exception.Status.Detail}");
    return 1;
}
