using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Cluster.Bench.Clients;

/// <summary>An infer request over HTTP/1.1 with the binary tensor extension both ways, as the bytes to send.</summary>
internal static class RestRequest
{
    public static byte[] Build(InferWorkload workload, IPEndPoint server)
    {
        var input = MemoryMarshal.AsBytes<float>(workload.Input);
        var json = JsonSerializer.SerializeToUtf8Bytes(new
        {
            inputs = new[]
            {
                new { name = workload.InputName, shape = workload.Shape, datatype = "FP32", parameters = new { binary_data_size = input.Length } },
            },
            outputs = new[] { new { name = workload.OutputName, parameters = new { binary_data = true } } },
        });
        var head = $"POST /v2/models/{Uri.EscapeDataString(workload.Model)}/infer HTTP/1.1\r\n"
            + $"Host: {server}\r\n"
            + "Content-Type: application/octet-stream\r\n"
            + $"Inference-Header-Content-Length: {json.Length}\r\n"
            + $"Content-Length: {json.Length + input.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. json, .. input];
    }
}
