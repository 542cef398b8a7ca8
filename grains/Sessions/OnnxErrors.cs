using Cluster.Contracts.Errors;
using Cluster.Grains.Repository.Files;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions;

/// <summary>What clients are told of exceptions from loading and running models.</summary>
internal static class OnnxErrors
{
    /// <param name="path">The model's file, whose folder may have a name that no text tells apart; null where no load is meant.</param>
    public static string Describe(Exception exception, string? path = null) => exception switch
    {
        OnnxRuntimeException => ClientText.Of(WithoutFolder(exception.Message, path)),
        ServingException serving => ClientText.Of(serving.Failure.Message),
        InvalidDataException => ClientText.Of(WithoutFolder(exception.Message, path)),
        _ when IoReason.IsFileError(exception) => $"a file of the version cannot be read: {IoReason.Of(exception)}",
        _ => "internal error while reading the model's files",
    };

    private static string WithoutFolder(string text, string? path) =>
        path is null ? text : text.Replace(Path.GetDirectoryName(path) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
}
