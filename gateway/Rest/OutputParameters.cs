namespace Cluster.Gateway.Rest;

/// <summary><c>parameters</c> of a requested output.</summary>
/// <param name="Binary"><c>binary_data</c>; null if it is not there.</param>
/// <param name="Classification">0 for the tensor itself.</param>
internal readonly record struct OutputParameters(bool? Binary, long Classification);
