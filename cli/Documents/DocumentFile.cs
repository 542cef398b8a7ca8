using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;

namespace Cluster.Cli.Documents;

/// <summary>A file of YAML or JSON.</summary>
internal static class DocumentFile
{
    /// <exception cref="CommandFailure">It cannot be read; the message says where it is wrong.</exception>
    public static JsonNode? Read(string path) => Parse(Text(path), path);

    /// <param name="name">What errors call it.</param>
    public static JsonNode? Parse(string text, string name)
    {
        try
        {
            return text.AsSpan().TrimStart() is ['{' or '[', ..] ? JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) : Yaml.Read(text);
        }
        catch (JsonException exception)
        {
            throw CommandFailure.Usage($"{name} is no valid JSON: {exception.Message}", exception);
        }
        catch (YamlException exception)
        {
            throw CommandFailure.Usage($"{name} is no valid YAML, line {exception.Start.Line}, column {exception.Start.Column}: {exception.Message}", exception);
        }
    }

    /// <exception cref="CommandFailure">It cannot be read.</exception>
    public static byte[] Bytes(string path)
    {
        if (path.Length == 0)
        {
            throw CommandFailure.Usage("a file's name is empty, expected a path");
        }

        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandFailure.Usage($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    private static string Text(string path) => System.Text.Encoding.UTF8.GetString(Bytes(path)).TrimStart('\ufeff');
}
