using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cluster.Grains.Objects.Downloads;

/// <summary>What lies beside the files of a whole version in the cache.</summary>
/// <param name="Address">Where it came from.</param>
/// <param name="Revision">The fingerprint of the listing that it was made of.</param>
/// <param name="Folder">The folder of its files.</param>
/// <param name="Graph">The graph's file in <paramref name="Folder"/>.</param>
/// <param name="Files">All of them.</param>
internal sealed partial record VersionRecord(string Address, string Revision, string Folder, string Graph, IReadOnlyList<RecordedFile> Files)
{
    public const string FileName = "version.json";

    [JsonIgnore]
    public long Bytes => Files.Sum(static file => file.Size);

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, RecordJson.Default.VersionRecord);

    /// <returns>Null if it is none.</returns>
    public static VersionRecord? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            return JsonSerializer.Deserialize(text, RecordJson.Default.VersionRecord) is { Address: not null, Revision: not null, Folder: not null, Graph: not null, Files: not null } record
                && record.Files.All(static file => file is { Name: not null, Sha256: not null } && ObjectKeys.ProblemOf(file.Name) is null) && ObjectKeys.ProblemOf(record.Folder) is null
                    ? record
                    : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    [JsonSerializable(typeof(VersionRecord))]
    private sealed partial class RecordJson : JsonSerializerContext;
}

/// <param name="Name">Relative to the version's folder.</param>
/// <param name="Size">Bytes.</param>
/// <param name="ETag">Of the object.</param>
/// <param name="Sha256">Of its content, as it was when it had been checked.</param>
internal sealed record RecordedFile(string Name, long Size, string ETag, string Sha256);
