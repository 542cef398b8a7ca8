using System.Text.Json;

namespace Cluster.Grains.Storage;

/// <summary>States as they are stored: JSON of their public properties and fields.</summary>
internal static class GrainStateJson
{
    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true };

    public static byte[] Write<T>(T state) => JsonSerializer.SerializeToUtf8Bytes(state, Json);

    public static T Read<T>(ReadOnlySpan<byte> content) => JsonSerializer.Deserialize<T>(content, Json)!;
}
