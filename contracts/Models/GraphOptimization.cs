namespace Cluster.Contracts.Models;

/// <summary>How far ONNX Runtime rewrites a graph when it loads it.</summary>
[GenerateSerializer, Alias("graph-optimization")]
public enum GraphOptimization
{
    /// <summary>As written.</summary>
    Disable,

    /// <summary>Rewrites that every provider understands.</summary>
    Basic,

    /// <summary>Also fusions for the chosen provider.</summary>
    Extended,

    /// <summary>Also layout changes.</summary>
    All,
}
