using Cluster.Gateway.Rest;
using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Gateway.Console;

/// <summary>
/// <c>/console</c>: a page, a style sheet and a script, which are part of the program. They hold no data: what they show, they ask the routes of <see cref="RestEndpoints"/>
/// for with their user's key.
/// </summary>
internal static class ConsoleFiles
{
    /// <summary>Nothing from elsewhere, nothing inline, in no frame: a name that looks like markup or script stays text.</summary>
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string[] Verbs = [HttpMethods.Get, HttpMethods.Head];

    private static readonly (string Path, string File, string ContentType)[] All =
    [
        ("/console", "console.html", "text/html; charset=utf-8"),
        ("/console/console.css", "console.css", "text/css; charset=utf-8"),
        ("/console/console.js", "console.js", "text/javascript; charset=utf-8"),
    ];

    /// <summary>Maps the page, unless it is turned off.</summary>
    public static void MapConsole(this IEndpointRouteBuilder endpoints)
    {
        if (!endpoints.ServiceProvider.GetRequiredService<ConsoleOptions>().Enabled)
        {
            return;
        }

        foreach (var (path, file, contentType) in All)
        {
            var content = Read(file);
            endpoints.MapMethods(path, Verbs, context => WriteAsync(context, content, contentType)).Asks(RouteAccess.Console);
            endpoints.MapOtherVerbs(path, Verbs);
        }
    }

    private static async Task WriteAsync(HttpContext context, byte[] content, string contentType)
    {
        var response = context.Response;
        response.ContentType = contentType;
        response.ContentLength = content.Length;
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers["Referrer-Policy"] = "no-referrer";
        response.Headers.CacheControl = "no-cache";
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await response.Body.WriteAsync(content, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private static byte[] Read(string file)
    {
        using var stream = typeof(ConsoleFiles).Assembly.GetManifestResourceStream("console/" + file)
            ?? throw new InvalidOperationException($"the program was built without {file} of the console");
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
