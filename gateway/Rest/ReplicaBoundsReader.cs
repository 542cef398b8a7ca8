using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;

namespace Cluster.Gateway.Rest;

/// <summary>Reads <c>{"min_copies":2,"max_copies":4}</c>; a missing or null bound is as the model's settings say. The model checks the numbers.</summary>
internal static class ReplicaBoundsReader
{
    private const int MaxDepth = 2;

    /// <returns>Null where no bound is given.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT: no JSON, or a member that is unknown or no whole number.</exception>
    public static ReplicaBounds? Read(ReadOnlyMemory<byte> body)
    {
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var bounds = document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().Aggregate(new ReplicaBounds(null, null), static (read, member) => Read(read, member.Name, member.Value))
                : throw ServingException.InvalidArgument("the bounds are no object, expected min_copies and max_copies");
            return bounds is { Least: null, Most: null } ? null : bounds;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second: a name that is no text.
            throw new ServingException(Failure.InvalidArgument("the request is not valid JSON, expected min_copies and max_copies"), exception);
        }
    }

    private static ReplicaBounds Read(ReplicaBounds bounds, string name, JsonElement value) => name switch
    {
        "min_copies" => bounds with { Least = Whole(name, value) },
        "max_copies" => bounds with { Most = Whole(name, value) },
        _ => throw ServingException.InvalidArgument("the bounds have an unknown member, expected min_copies and max_copies"),
    };

    private static int? Whole(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt32(out var number) => number,
        JsonValueKind.Null => null,
        _ => throw ServingException.InvalidArgument($"{name} is of another type, expected a whole number or null"),
    };
}
