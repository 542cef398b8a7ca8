using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Bench.Serving;

/// <summary>A model of a running server, and one request for it that is made from its metadata.</summary>
/// <param name="Name">As clients call it.</param>
/// <param name="Inputs">Name, KServe datatype, shape and little-endian bytes of each.</param>
internal sealed record ServedModel(string Name, IReadOnlyList<(string Name, string Datatype, long[] Shape, byte[] Bytes)> Inputs)
{
    private const string JsonLength = "Inference-Header-Content-Length";

    /// <summary>Asks the server what the model takes. A size that requests choose is 1, unless <paramref name="shapes"/> says more.</summary>
    /// <param name="shapes">Of inputs, such as <c>ids:1x128,mask:1x128</c>; null for none.</param>
    /// <exception cref="BenchmarkException">The server does not have the model.</exception>
    public static async Task<ServedModel> ReadAsync(IPEndPoint server, string name, string? shapes, CancellationToken cancellationToken)
    {
        using var client = new GrpcClient(server);
        try
        {
            var metadata = await client.CallAsync<ModelMetadataRequest, ModelMetadataResponse>(
                GrpcClient.InferService, "ModelMetadata", new ModelMetadataRequest { Name = name }, cancellationToken);
            var given = ReadShapes(shapes, metadata);
            var random = new Random(1);
            return new ServedModel(name, [.. metadata.Inputs.Select(input =>
            {
                var shape = given.GetValueOrDefault(input.Name, [.. input.Shape.Select(static size => Math.Max(1, size))]);
                return (input.Name, input.Datatype, shape, Fill(input.Datatype, shape.Aggregate(1L, static (product, size) => product * size), random));
            })]);
        }
        catch (GrpcFailureException failure)
        {
            throw new BenchmarkException($"the server at {server} does not tell of model '{name}': {failure.Message}");
        }
    }

    /// <summary>The request as a gRPC message with raw contents.</summary>
    public byte[] ToMessage() => new ModelInferRequest
    {
        ModelName = Name,
        Inputs = { Inputs.Select(static input => new ModelInferRequest.Types.InferInputTensor { Name = input.Name, Datatype = input.Datatype, Shape = { input.Shape } }) },
        RawInputContents = { Inputs.Select(static input => ByteString.CopyFrom(input.Bytes)) },
    }.ToByteArray();

    /// <summary>The request over REST, all tensors in the binary extension, answers too.</summary>
    public ByteArrayContent ToContent()
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(new
        {
            inputs = Inputs.Select(static input => new
            {
                name = input.Name, shape = input.Shape, datatype = input.Datatype, parameters = new { binary_data_size = input.Bytes.Length },
            }),
            parameters = new { binary_data_output = true },
        });
        var content = new ByteArrayContent([.. header, .. Inputs.SelectMany(static input => input.Bytes)]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        content.Headers.Add(JsonLength, header.Length.ToString(CultureInfo.InvariantCulture));
        return content;
    }

    private static Dictionary<string, long[]> ReadShapes(string? text, ModelMetadataResponse metadata)
    {
        var shapes = new Dictionary<string, long[]>(StringComparer.Ordinal);
        foreach (var input in text?.Split(',') ?? [])
        {
            var at = input.LastIndexOf(':');
            var sizes = at < 0 ? [] : Array.ConvertAll(input[(at + 1)..].Split('x'), static size => long.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : 0);
            if (sizes.Length == 0 || sizes.Contains(0))
            {
                throw new UsageException($"option '--shapes' takes NAME:SIZExSIZE,…, not '{input}'");
            }

            if (!metadata.Inputs.Any(known => known.Name == input[..at]))
            {
                throw new UsageException($"option '--shapes' names '{input[..at]}', which is no input of the model; its inputs are {string.Join(", ", metadata.Inputs.Select(static known => known.Name))}");
            }

            shapes[input[..at]] = sizes;
        }

        return shapes;
    }

    private static byte[] Fill(string datatype, long count, Random random)
    {
        if (datatype == "BYTES")
        {
            var text = Encoding.UTF8.GetBytes("text");
            var element = new byte[sizeof(int) + text.Length];
            BinaryPrimitives.WriteInt32LittleEndian(element, text.Length);
            text.CopyTo(element, sizeof(int));
            return [.. Enumerable.Repeat(element, (int)count).SelectMany(static bytes => bytes)];
        }

        Func<byte[]> next = datatype switch
        {
            "FP64" => () => BitConverter.GetBytes(random.NextDouble()),
            "FP32" => () => BitConverter.GetBytes(random.NextSingle()),
            "FP16" => () => BitConverter.GetBytes((Half)random.NextDouble()),
            "BF16" => () => BitConverter.GetBytes((ushort)(BitConverter.SingleToUInt32Bits(random.NextSingle()) >> 16)),

            // Small numbers: many models take integers as indices.
            "BOOL" or "INT8" or "UINT8" => () => [(byte)random.Next(2)],
            "INT16" or "UINT16" => () => BitConverter.GetBytes((short)random.Next(2)),
            "INT32" or "UINT32" => () => BitConverter.GetBytes(random.Next(2)),
            _ => () => BitConverter.GetBytes((long)random.Next(2)),
        };
        return [.. Enumerable.Range(0, (int)count).SelectMany(_ => next())];
    }
}
