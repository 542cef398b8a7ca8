namespace Cluster.Grains.Trust;

/// <summary>The files of a version that a session is made of, read and checked. Disposed when the session exists.</summary>
internal sealed class VersionContent : IDisposable
{
    /// <summary>A request of the model's, as REST takes it, that it is warmed up with.</summary>
    public const string SampleFile = "warmup.json";

    /// <summary>Bytes that it may have, and the request that is made of it.</summary>
    public const int MaxSample = 16 << 20;

    private readonly Dictionary<string, MemoryFile> _external = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _labels = new(StringComparer.Ordinal);

    /// <summary>The .onnx file, decrypted.</summary>
    public MemoryFile? Graph { get; set; }

    /// <summary>What the graph's file is called.</summary>
    public required string FileName { get; init; }

    /// <summary>A SHA-256 of a session's files: the graph and its external data.</summary>
    public ReadOnlyMemory<byte> Digest { get; set; }

    /// <summary>Whether a file of it was encrypted.</summary>
    public bool IsSecret { get; set; }

    /// <summary>The content of <see cref="SampleFile"/>; null where there is none.</summary>
    public byte[]? Sample { get; set; }

    /// <summary>Decrypted files by the location that the graph has for them.</summary>
    public IReadOnlyDictionary<string, MemoryFile> External => _external;

    public void AddExternal(string location, MemoryFile file) => _external.Add(location, file);

    public void AddLabels(string name, byte[] text) => _labels.Add(name, text);

    /// <summary>The lines of a file of labels; null if there is no such file in the version's folder.</summary>
    public string[]? Labels(string name)
    {
        if (!_labels.TryGetValue(name, out var text))
        {
            return null;
        }

        using var reader = new StreamReader(new MemoryStream(text));
        var lines = new List<string>();
        while (reader.ReadLine() is { } line)
        {
            lines.Add(line);
        }

        return [.. lines];
    }

    public void Dispose()
    {
        Graph?.Dispose();
        foreach (var file in _external.Values)
        {
            file.Dispose();
        }
    }
}
