using System.Text;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Cluster.Gateway.ModelMesh;

/// <summary>
/// The headers by which ModelMesh's clients choose a model: <c>mm-model-id</c> or <c>mm-vmodel-id</c>, the latter for an alias. Each is also known with <c>-bin</c>,
/// for names beyond ASCII, in base64 of UTF-8. They go before the name in the message or the path.
/// </summary>
internal static class ModelHeaders
{
    public const string Model = "mm-model-id";
    public const string ModelBinary = "mm-model-id-bin";
    public const string Alias = "mm-vmodel-id";
    public const string AliasBinary = "mm-vmodel-id-bin";

    /// <summary>More than a name of 255 characters takes in base64.</summary>
    private const int MaxLength = 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <exception cref="ServingException">INVALID_ARGUMENT: more than one of them, an empty one, or one that cannot be read.</exception>
    public static ModelHeader Read(IHeaderDictionary headers)
    {
        string? found = null;
        string? value = null;
        Take(headers, Model, ref found, ref value);
        Take(headers, ModelBinary, ref found, ref value);
        Take(headers, Alias, ref found, ref value);
        Take(headers, AliasBinary, ref found, ref value);
        if (value?.Length > MaxLength)
        {
            throw ServingException.InvalidArgument($"the header {found} is longer than {MaxLength} characters");
        }

        return found switch
        {
            null => default,
            Model => new ModelHeader(value, null),
            ModelBinary => new ModelHeader(Decode(found, value!), null),
            Alias => new ModelHeader(null, value),
            _ => new ModelHeader(null, Decode(found, value!)),
        };
    }

    private static void Take(IHeaderDictionary headers, string name, ref string? found, ref string? value)
    {
        if (!headers.TryGetValue(name, out StringValues values))
        {
            return;
        }

        if (found is not null)
        {
            throw ServingException.InvalidArgument($"the headers {found} and {name} are both given, expected one of them");
        }

        if (values.Count != 1 || string.IsNullOrEmpty(values[0]))
        {
            throw ServingException.InvalidArgument(
                values.Count > 1 ? $"the header {name} is given {values.Count} times, expected once" : $"the header {name} is empty, expected a name");
        }

        found = name;
        value = values[0];
    }

    private static string Decode(string header, string value)
    {
        try
        {
            // gRPC clients may leave the padding out.
            return StrictUtf8.GetString(Convert.FromBase64String(value.PadRight((value.Length + 3) / 4 * 4, '=')));
        }
        catch (Exception exception) when (exception is FormatException or DecoderFallbackException)
        {
            throw new ServingException(Failure.InvalidArgument($"the header {header} is not base64 of UTF-8"), exception);
        }
    }
}
