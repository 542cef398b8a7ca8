namespace Cluster.Grains.Sessions;

/// <summary>ONNX Runtime's error texts, as clients may see them.</summary>
internal static class OnnxErrors
{
    private const string CodePrefix = "[ErrorCode:";

    /// <summary>The text without the code in front, and with files named as in the repository: where that lies is no client's business.</summary>
    /// <param name="path">The model's file, or null where no load is meant.</param>
    public static string Describe(Exception exception, string? path = null)
    {
        var text = exception.Message;
        if (text.StartsWith(CodePrefix, StringComparison.Ordinal) && text.IndexOf(']', StringComparison.Ordinal) is > 0 and var end)
        {
            text = text[(end + 1)..].TrimStart();
        }

        return path is null ? text : text.Replace(Path.GetDirectoryName(path) + Path.DirectorySeparatorChar, "", StringComparison.Ordinal);
    }
}
