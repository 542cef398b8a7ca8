using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Google.Protobuf;

namespace Cluster.Conformance.Fuzz;

/// <summary>Says whether a gRPC answer is one that a server may give.</summary>
internal static class GrpcOracle
{
    private const string InternalError = "internal error";

    private static readonly StatusCode[] Refusals =
        [StatusCode.InvalidArgument, StatusCode.NotFound, StatusCode.Unimplemented, StatusCode.ResourceExhausted, StatusCode.DeadlineExceeded];

    public static Verdict Judge(FuzzCase sent, GrpcAnswer answer)
    {
        var outcome = $"gRPC {answer.Status}";
        if (answer.Status == StatusCode.Ok)
        {
            return new Verdict(outcome, sent.Path.EndsWith("Infer", StringComparison.Ordinal) ? JudgeMessages(sent, answer) : null);
        }

        if (sent.Kind == FramingCases.FlagWithoutEncoding && answer.Status == StatusCode.Internal)
        {
            return new Verdict(outcome + " (as the protocol demands)");
        }

        // Broken prefixes, and what only the library's own services parse.
        var isLibrarys = sent.Kind == FramingCases.Framing || sent.Path.StartsWith("/grpc.", StringComparison.Ordinal);
        if (isLibrarys && answer.Status is StatusCode.Internal or StatusCode.Unknown && answer.Details != InternalError)
        {
            return new Verdict(outcome + " (of the library)");
        }

        var fine = !sent.IsValid && answer.HttpStatus == 200 && answer.Status is { } status && Refusals.Contains(status);
        return new Verdict(outcome, fine ? null : answer.ToString());
    }

    private static string? JudgeMessages(FuzzCase sent, GrpcAnswer answer)
    {
        try
        {
            return sent.Channel == Channel.GrpcStream
                ? answer.Messages.Select(message => JudgeStreamed(ModelStreamInferResponse.Parser.ParseFrom(message.Span))).FirstOrDefault(wrong => wrong is not null)
                : Judge(sent, ModelInferResponse.Parser.ParseFrom(answer.Message.Span));
        }
        catch (Exception exception) when (exception is InvalidProtocolBufferException or InvalidDataException)
        {
            return $"{answer}: {exception.Message}";
        }
    }

    private static string? JudgeStreamed(ModelStreamInferResponse response)
    {
        if (response.ErrorMessage.Length > 0)
        {
            var failed = response.ErrorMessage == InternalError || response.ErrorMessage.Contains("failed while running", StringComparison.Ordinal);
            return failed ? response.ErrorMessage : null;
        }

        return Inconsistency(response.InferResponse);
    }

    private static string? Judge(FuzzCase sent, ModelInferResponse response)
    {
        if (Inconsistency(response) is { } wrong)
        {
            return wrong;
        }

        return sent.Expected is { } expected && !response.RawOutputContents[0].Span.SequenceEqual(expected.ToRaw()) ? "another tensor than was sent came back" : null;
    }

    /// <summary>Whether shapes and sizes of an answer fit each other.</summary>
    private static string? Inconsistency(ModelInferResponse response)
    {
        if (response.Outputs.Count != response.RawOutputContents.Count)
        {
            return $"{response.Outputs.Count} outputs, {response.RawOutputContents.Count} raw contents";
        }

        foreach (var (output, raw) in response.Outputs.Zip(response.RawOutputContents))
        {
            var count = output.Shape.Contains(0) ? 0 : output.Shape.Aggregate((Int128)1, (product, dimension) => product * dimension);
            var size = Contracts.Wire.Datatypes.Parse(System.Text.Encoding.UTF8.GetBytes(output.Datatype));
            if (size != Contracts.Wire.Datatype.Bytes && count * Contracts.Wire.Datatypes.ElementSize(size) != raw.Length)
            {
                return $"output {output.Name} {output.Datatype} [{string.Join(',', output.Shape)}] has {raw.Length} bytes";
            }
        }

        return null;
    }
}
