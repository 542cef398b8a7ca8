using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>Small JSON bodies.</summary>
internal static class JsonAnswer
{
    /// <summary>Exactly this: a client reads an error's text only if no charset follows.</summary>
    public const string ContentType = "application/json";

    /// <summary>Text stays readable; only what JSON itself demands is escaped.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Task WriteAsync<T>(HttpContext context, T value, Action<Utf8JsonWriter, T> write) =>
        WriteAsync(context, StatusCodes.Status200OK, value, write);

    public static async Task WriteAsync<T>(HttpContext context, int status, T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer, value);
        }

        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.ContentLength = buffer.WrittenCount;
        await response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }
}
