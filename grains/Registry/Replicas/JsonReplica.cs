using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts.Errors;
using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Registry.Replicas;

/// <summary>A replicated map of objects, kept as JSON of their public properties. An object is read once, at its first use after it came.</summary>
internal sealed class JsonReplica<T>(IReplicatedMap map, ILogger logger)
    where T : class
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new SiloAddressJson() } };

    /// <summary>After an outage shorter than this no client has to ask again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    public IReplicatedMap Map => map;

    public IEnumerable<T> All => map.All.Select(Read).OfType<T>();

    public bool TryGet(string key, [NotNullWhen(true)] out T? value)
    {
        value = map.TryGet(key, out var entry) ? Read(entry) : null;
        return value is not null;
    }

    public void Publish(string key, T value) => map.Publish(key, JsonSerializer.SerializeToUtf8Bytes(value, Json));

    /// <summary>Does nothing where there is nothing.</summary>
    public void Remove(string key)
    {
        if (map.TryGet(key, out _))
        {
            map.Publish(key, null);
        }
    }

    /// <exception cref="ServingException">UNAVAILABLE: Redis is away.</exception>
    public async ValueTask RefreshAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            await map.RefreshAsync(key, cancellationToken).ConfigureAwait(false);
        }
        catch (SiloUnavailableException exception)
        {
            throw new ServingException(Failure.Unavailable($"what the cluster knows of '{key}' cannot be asked for: {exception.Message}", RetryAfter));
        }
    }

    private T? Read(ReplicatedEntry entry) => entry.Decode(Decode);

    private T? Decode(ReplicatedEntry entry)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(entry.Content.Span, Json);
        }
        catch (JsonException exception)
        {
            // Another version of this software wrote it: the entry counts as absent until a process publishes it again.
            Log.UnreadableEntry(logger, exception, entry.Key, map.Name);
            return null;
        }
    }
}

/// <summary>A silo's address as text, in its parsable form.</summary>
internal sealed class SiloAddressJson : JsonConverter<SiloAddress>
{
    public override SiloAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : "";
        try
        {
            return SiloAddress.FromParsableString(text);
        }
        catch (FormatException exception)
        {
            throw new JsonException(exception.Message, exception);
        }
    }

    public override void Write(Utf8JsonWriter writer, SiloAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToParsableString());
}
