using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>The model and version that a path names.</summary>
/// <param name="Model">URL-decoded.</param>
/// <param name="Version">Digits, or empty for the server's choice.</param>
internal readonly record struct ModelRoute(string Model, string Version)
{
    public const string ModelKey = "model";
    public const string VersionKey = "version";

    /// <exception cref="ServingException">NOT_FOUND for a name with a slash in it; INVALID_ARGUMENT for a version that is no number.</exception>
    public static ModelRoute Of(HttpContext context)
    {
        var values = context.Request.RouteValues;
        var model = values[ModelKey] as string ?? "";
        var version = values[VersionKey] as string ?? "";

        // The server leaves an encoded slash encoded, so that it cannot be taken for a separator; no model's name has one.
        if (model.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            throw new ServingException(Failure.NotFound($"Request for unknown model: '{model}' is not a model's name"));
        }

        if (version.AsSpan().ContainsAnyExceptInRange('0', '9'))
        {
            throw ServingException.InvalidArgument(
                $"failed to get model version from specified version string '{version}' for model '{model}': a version is digits only");
        }

        return new ModelRoute(model, version);
    }
}
