using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Tests.Common;

/// <summary>Inference over gRPC with raw contents.</summary>
public sealed class GrpcInferClient(string target) : IInferClient
{
    private readonly GrpcClient _client = new(target);

    public static ModelInferRequest Request(string model, IEnumerable<RawTensor> inputs)
    {
        var request = new ModelInferRequest { ModelName = model };
        foreach (var input in inputs)
        {
            request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = input.Name, Datatype = input.Datatype, Shape = { input.Shape } });
            request.RawInputContents.Add(ByteString.CopyFrom(input.Bytes.Span));
        }

        return request;
    }

    public static IReadOnlyList<RawTensor> Outputs(ModelInferResponse response) =>
        [.. response.Outputs.Zip(response.RawOutputContents, (output, raw) => new RawTensor(output.Name, output.Datatype, [.. output.Shape], raw.ToByteArray()))];

    public async Task<IReadOnlyList<RawTensor>> InferAsync(string model, IReadOnlyList<RawTensor> inputs, CancellationToken cancellationToken = default)
    {
        var answer = await _client.CallAsync("ModelInfer", Request(model, inputs).ToByteArray(), cancellationToken);
        return answer.Status == StatusCode.Ok
            ? Outputs(ModelInferResponse.Parser.ParseFrom(answer.Message.Span))
            : throw new InvalidOperationException(answer.ToString());
    }

    public void Dispose() => _client.Dispose();
}
