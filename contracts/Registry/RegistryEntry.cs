using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Models;

namespace Cluster.Contracts.Registry;

/// <summary>What the registry knows of one model: that it was registered, that aliases refer to it, or both.</summary>
[GenerateSerializer, Immutable, Alias("registry-entry")]
public sealed record RegistryEntry
{
    [Id(0)]
    public required string Model { get; init; }

    /// <summary>Null for a model of the repository, which is here because aliases refer to it.</summary>
    [Id(1)]
    public RegisteredInfo? Info { get; init; }

    /// <summary>Whether the model is removed when no alias refers to it any more.</summary>
    [Id(2)]
    public bool AutoDelete { get; init; }

    /// <summary>
    /// The aliases that refer to it as active or target model, or as candidate of their rule. Each once, in ordinal order. While there is one, the model stays.
    /// </summary>
    [Id(3)]
    public ImmutableArray<string> Aliases { get; init; } = [];
}

/// <summary>What a client registers a model with; two registrations are the same if all three texts are, also of two clients.</summary>
/// <param name="Type">What kind of model it is: <c>onnx</c>, <c>mt:onnx…</c> or <c>rt:…</c>.</param>
/// <param name="Path">A <c>.onnx</c> file or a folder, relative to the folder of registered models.</param>
/// <param name="Key">Settings in the form of a model.json, or empty.</param>
[GenerateSerializer, Immutable, Alias("registered-info")]
public sealed record RegisteredInfo([property: Id(0)] string Type, [property: Id(1)] string Path, [property: Id(2)] string Key)
{
    /// <summary>Of the client that registered it first.</summary>
    [Id(3)]
    public CallerShare Owner { get; init; }

    /// <summary>Whether the model is to load with its registration, for a caller that waits for it. Not kept.</summary>
    [Id(4)]
    [JsonIgnore]
    public bool LoadNow { get; init; }
}
