using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest.Json;

/// <summary>NaN and infinities that stand bare in JSON, as Python and JavaScript libraries write and read them, where the operator allows it.</summary>
internal static class BareFloats
{
    private const int Quotes = 2;

    /// <summary>The same JSON with bare values as the strings that stand for them; takes over <paramref name="json"/> and gives the one to use.</summary>
    /// <param name="room">Where it finds its memory.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: there is no room, or with the quotes it is larger than memory can hold in one piece.</exception>
    public static PayloadBuffer Quote(PayloadBuffer json, PayloadRoom room)
    {
        var source = json.Span;
        if (source.IndexOf(FloatText.NaN) < 0 && source.IndexOf(FloatText.Infinity) < 0)
        {
            return json;
        }

        using (json)
        {
            var length = source.Length + ((long)Quotes * Copy(source, default));
            if (length > Array.MaxLength)
            {
                throw new ServingException(new Failure(StatusCode.ResourceExhausted, $"the request's JSON is too large: with NaN and infinities as strings it has {length} bytes"));
            }

            var quoted = room.Rent((int)length, padding: 0);
            Copy(source, quoted.Span);
            return quoted;
        }
    }

    /// <summary>Copies unless <paramref name="target"/> is empty; gives the number of bare values.</summary>
    private static int Copy(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var count = 0;
        var copied = 0;
        var isInString = false;
        for (var i = 0; i < source.Length; i++)
        {
            var letter = source[i];
            if (isInString)
            {
                i += letter == '\\' ? 1 : 0;
                isInString = letter != '"';
            }
            else if (letter == '"')
            {
                isInString = true;
            }
            else if (BareLength(source[i..]) is > 0 and var length)
            {
                if (!target.IsEmpty)
                {
                    target = Append(target, source[copied..i], source.Slice(i, length));
                }

                count++;
                copied = i + length;
                i = copied - 1;
            }
        }

        if (!target.IsEmpty)
        {
            source[copied..].CopyTo(target);
        }

        return count;
    }

    /// <summary>What is left of <paramref name="target"/>.</summary>
    private static Span<byte> Append(Span<byte> target, ReadOnlySpan<byte> before, ReadOnlySpan<byte> bare)
    {
        before.CopyTo(target);
        target = target[before.Length..];
        target[0] = (byte)'"';
        bare.CopyTo(target[1..]);
        target[bare.Length + 1] = (byte)'"';
        return target[(bare.Length + Quotes)..];
    }

    private static int BareLength(ReadOnlySpan<byte> text) => text[0] switch
    {
        (byte)'N' when text.StartsWith(FloatText.NaN) => FloatText.NaN.Length,
        (byte)'I' when text.StartsWith(FloatText.Infinity) => FloatText.Infinity.Length,
        (byte)'-' when text.StartsWith(FloatText.NegativeInfinity) => FloatText.NegativeInfinity.Length,
        _ => 0,
    };
}
