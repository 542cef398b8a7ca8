namespace Cluster.Gateway.ModelMesh;

/// <summary>What a request's headers name: a model, an alias, or neither.</summary>
internal readonly record struct ModelHeader(string? Model, string? Alias);
