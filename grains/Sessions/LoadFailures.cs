using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Trust;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>What clients are told about loads that failed.</summary>
internal static class LoadFailures
{
    /// <summary>A failed load is cured by an operator, not by the next second: the hint keeps clients from hammering.</summary>
    public static TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(10);

    /// <summary>The whole sentence; clients look for its beginning.</summary>
    public static string Message(string model, long version, string cause) => Prefix(model, version) + cause;

    /// <summary>The cause out of a sentence of <see cref="Message"/>, to stand where model and version are named already.</summary>
    public static string Cause(string message, string model, long version)
    {
        var prefix = Prefix(model, version);
        return message.StartsWith(prefix, StringComparison.Ordinal) ? message[prefix.Length..] : message;
    }

    /// <summary>Begins a sentence about a model as a whole; clients look for it too.</summary>
    public static string Prefix(string model) => $"failed to load '{model}': ";

    private static string Prefix(string model, long version) =>
        string.Create(CultureInfo.InvariantCulture, $"failed to load model '{model}' version {version}: ");
}

/// <summary>What clients are told of exceptions from loading and running models.</summary>
internal static class OnnxErrors
{
    /// <summary>In ONNX Runtime's text of a tensor whose elements its managed API has no name for.</summary>
    private const string UnknownType = "TensorElementType";

    /// <param name="content">What was loaded: ONNX Runtime has it under another path; null where no load is meant.</param>
    public static string Describe(Exception exception, VersionContent? content = null) => exception switch
    {
        OnnxRuntimeException when content?.Graph is { } graph && exception.Message.Contains(UnknownType, StringComparison.Ordinal) =>
            DeclaredTypes.FindUnserved(graph.Bytes) ?? "an input or output has elements of a type that KServe v2 has no datatype for",
        OnnxRuntimeException => ClientText.Of(WithName(exception.Message, content)),
        ServingException serving => ClientText.Of(serving.Failure.Message),
        InvalidDataException => ClientText.Of(exception.Message),
        _ when IoReason.IsFileError(exception) => $"a file of the version cannot be read: {IoReason.Of(exception)}",
        _ => "internal error while reading the model's files",
    };

    private static string WithName(string text, VersionContent? content) =>
        content?.Graph is { } graph ? text.Replace(graph.Path, content.FileName, StringComparison.Ordinal) : text;
}
