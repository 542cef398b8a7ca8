namespace Cluster.Gateway.Rest;

/// <summary>One entry of a JSON request's <c>outputs</c>.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Binary"><c>parameters.binary_data</c>; null to follow the request's default.</param>
internal readonly record struct JsonOutput(byte[] Name, bool? Binary);
