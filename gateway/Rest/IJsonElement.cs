using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>How one datatype's elements are read from JSON; implemented by structs, so that each gets its own loop.</summary>
internal interface IJsonElement
{
    /// <summary>What an element must be, for errors: "an integer from -128 to 127".</summary>
    static abstract string Expected { get; }

    /// <summary>Bytes of an element of which <see cref="NumberRun"/> reads many; 0 where it does not.</summary>
    static virtual int Size => 0;

    /// <summary>Writes a number to <paramref name="target"/>; false if it is no such element, or must be read by other means.</summary>
    static virtual bool TryConvert(in DecimalNumber number, Span<byte> target) => false;

    /// <summary>Reads the current token; false if it is no such element.</summary>
    static abstract bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink);
}
