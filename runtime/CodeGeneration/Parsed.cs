namespace Cluster.Runtime.CodeGeneration;

/// <summary>What one declaration came to: a model, or findings and no model.</summary>
internal sealed record Parsed<T>(T? Model, EquatableArray<Finding> Findings)
    where T : class;
