namespace Cluster.Gateway.Serving;

/// <summary>How the server names itself in its metadata.</summary>
/// <param name="Name">Configurable, because some clients insist on one.</param>
/// <param name="Version">The product's version.</param>
internal sealed record ServerIdentity(string Name, string Version)
{
    /// <summary>The protocol's extensions that work here, by the names that clients look for.</summary>
    public static IReadOnlyList<string> Extensions { get; } =
        ["classification", "model_repository", "model_configuration", "binary_tensor_data", "parameters", "statistics"];
}
