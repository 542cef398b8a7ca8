namespace Cluster.Gateway.Rest;

/// <summary><c>parameters</c> of a requested output.</summary>
/// <param name="Binary"><c>binary_data</c>; null if it is not there.</param>
/// <param name="Classification">Not checked yet.</param>
/// <param name="IsInSharedMemory">Whether the answer is to go elsewhere.</param>
internal readonly record struct OutputParameters(bool? Binary, JsonScalar Classification, bool IsInSharedMemory);
