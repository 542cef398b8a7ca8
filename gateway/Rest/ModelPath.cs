using Cluster.Contracts.Errors;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Serving;
using Cluster.Gateway.Traffic;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>The model and version that a path names.</summary>
/// <param name="Model">URL-decoded.</param>
/// <param name="Version">Digits, or empty for the server's choice.</param>
internal readonly record struct ModelPath(string Model, string Version)
{
    /// <summary>The alias that led to the model, or null.</summary>
    public string? Alias { get; private init; }

    /// <summary>Of an alias with a traffic rule; null without one.</summary>
    public TrafficTicket? Ticket { get; private init; }

    /// <inheritdoc cref="ModelTarget.VersionOf"/>
    public string AboutVersion { get; private init; } = Version;

    public const string ModelKey = "model";
    public const string VersionKey = "version";

    /// <exception cref="ServingException">NOT_FOUND for a name with a slash in it; INVALID_ARGUMENT for a version that is no number.</exception>
    public static ModelPath Of(HttpContext context)
    {
        var values = context.Request.RouteValues;
        var model = values[ModelKey] as string ?? "";
        var version = values[VersionKey] as string ?? "";

        // The server leaves an encoded slash encoded, so that it cannot be taken for a separator; no model's name has one.
        if (model.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            throw new ServingException(Failure.NotFound($"Request for unknown model: '{VersionText.Shorten(model)}' is not a model's name"));
        }

        if (version.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            throw new ServingException(VersionText.NotANumber(version, model));
        }

        return new ModelPath(model, version);
    }

    /// <summary>As <see cref="Of(HttpContext)"/>, with headers and aliases taken into account.</summary>
    /// <exception cref="ServingException">In addition: as <see cref="IServingApi.Resolve"/>.</exception>
    public static ModelPath Of(HttpContext context, IServingApi api)
    {
        var named = Of(context);
        var target = api.Resolve(named.Model, context);
        return new ModelPath(target.Model, named.Version) { Alias = target.Alias, Ticket = target.Ticket, AboutVersion = target.VersionOf(named.Version) };
    }
}
