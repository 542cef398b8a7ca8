using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest.Json;

/// <summary>What the JSON of an inference request says beside what went into the message already.</summary>
internal sealed class JsonInferRequest
{
    public List<JsonInput> Inputs { get; } = [];

    public List<JsonOutput> Outputs { get; } = [];

    /// <summary><c>parameters.binary_data_output</c>: the form of outputs that say nothing themselves.</summary>
    public bool BinaryByDefault { get; set; }

    /// <summary>Whether NaN and infinities are answered bare.</summary>
    public bool BareFloats { get; set; }

    /// <summary>Whether the output of this name is answered as bytes after the JSON.</summary>
    public bool IsBinary(ReadOnlySpan<byte> name)
    {
        foreach (var output in Outputs)
        {
            if (name.SequenceEqual(output.Name))
            {
                return output.Binary ?? BinaryByDefault;
            }
        }

        return BinaryByDefault;
    }
}

/// <summary>One entry of a JSON request's <c>outputs</c>.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Binary"><c>parameters.binary_data</c>; null to follow the request's default.</param>
internal readonly record struct JsonOutput(byte[] Name, bool? Binary);

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
