namespace Cluster.Contracts.Registry;

/// <summary>What a client registers a model with; two registrations are the same if all three texts are.</summary>
/// <param name="Type">What kind of model it is: <c>onnx</c>, <c>mt:onnx…</c> or <c>rt:…</c>.</param>
/// <param name="Path">A <c>.onnx</c> file or a folder, relative to the folder of registered models.</param>
/// <param name="Key">Settings in the form of a model.json, or empty.</param>
[GenerateSerializer, Immutable, Alias("registered-info")]
public sealed record RegisteredInfo([property: Id(0)] string Type, [property: Id(1)] string Path, [property: Id(2)] string Key);
