using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

/// <summary>One entry of a JSON request's <c>inputs</c>.</summary>
internal sealed class JsonInput
{
    /// <summary>UTF-8; null until it was read.</summary>
    public byte[]? Name { get; set; }

    /// <summary>Unknown until it was read.</summary>
    public Datatype Datatype { get; set; }

    public long[]? Shape { get; set; }

    /// <summary>The product of <see cref="Shape"/>.</summary>
    public long Elements { get; set; }

    /// <summary>Where the value of <c>data</c> begins in the JSON; null if there is none.</summary>
    public int? DataStart { get; set; }

    /// <summary>Elements in <c>data</c>; null while its reading waits for what comes before it.</summary>
    public long? DataElements { get; set; }

    /// <summary><c>parameters.binary_data_size</c>.</summary>
    public long? BinarySize { get; set; }

    public bool HasParameters { get; set; }

    public bool IsInSharedMemory { get; set; }

    /// <summary>How errors name it.</summary>
    public string Title => Name is null ? "an input" : $"input '{Utf8Text.Of(Name)}'";
}
