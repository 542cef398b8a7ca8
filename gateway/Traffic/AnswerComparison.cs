using System.Numerics;
using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Traffic;

/// <summary>What differs first between two answers.</summary>
internal enum AnswerDifference
{
    None,

    /// <summary>The names of the outputs.</summary>
    Outputs,

    Datatype,

    Shape,

    /// <summary>Numbers that are further apart than the tolerances allow, or other BYTES.</summary>
    Values,

    /// <summary>One of them is no answer with raw contents.</summary>
    Unreadable,
}

/// <summary>
/// Compares two <c>ModelInferResponse</c> messages output by output, by name. Two numbers are the same if they are no further apart than the absolute tolerance and the relative one of
/// the expected number together. Two NaN are the same, and so are equal infinities. BOOL and BYTES have to be equal. Ids, names of models and parameters are not looked at.
/// </summary>
internal static class AnswerComparison
{
    /// <param name="expected">The active model's answer.</param>
    /// <param name="actual">The candidate's.</param>
    public static AnswerDifference Compare(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, double absolute, double relative)
    {
        var (left, right) = (new InferResponseMessage(), new InferResponseMessage());
        try
        {
            left.Parse(expected);
            right.Parse(actual);
        }
        catch (ServingException)
        {
            return AnswerDifference.Unreadable;
        }

        if (left.RawContents.Count != left.Outputs.Count || right.RawContents.Count != right.Outputs.Count)
        {
            return AnswerDifference.Unreadable;
        }

        if (left.Outputs.Count != right.Outputs.Count)
        {
            return AnswerDifference.Outputs;
        }

        var first = AnswerDifference.None;
        for (var i = 0; i < left.Outputs.Count; i++)
        {
            var output = left.Outputs[i];
            var other = Find(right, actual, output.Name.Of(expected));
            if (other < 0)
            {
                return AnswerDifference.Outputs;
            }

            var difference = Compare(expected, left, i, actual, right, other, absolute, relative);
            first = first == AnswerDifference.None || (difference != AnswerDifference.None && difference < first) ? difference : first;
        }

        return first;
    }

    private static int Find(InferResponseMessage message, ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> name)
    {
        for (var i = 0; i < message.Outputs.Count; i++)
        {
            if (message.Outputs[i].Name.Of(bytes).SequenceEqual(name))
            {
                return i;
            }
        }

        return -1;
    }

    private static AnswerDifference Compare(
        ReadOnlySpan<byte> expected, InferResponseMessage left, int i, ReadOnlySpan<byte> actual, InferResponseMessage right, int j, double absolute, double relative)
    {
        var (output, other) = (left.Outputs[i], right.Outputs[j]);
        var datatype = output.Datatype.Of(expected);
        if (!datatype.SequenceEqual(other.Datatype.Of(actual)))
        {
            return AnswerDifference.Datatype;
        }

        if (!left.Shape(output).SequenceEqual(right.Shape(other)))
        {
            return AnswerDifference.Shape;
        }

        var values = left.RawContents[i].Of(expected);
        var others = right.RawContents[j].Of(actual);
        return values.SequenceEqual(others) || (values.Length == others.Length && AreClose(Datatypes.Parse(datatype), values, others, absolute, relative))
            ? AnswerDifference.None
            : AnswerDifference.Values;
    }

    private static bool AreClose(Datatype datatype, ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, double absolute, double relative) => datatype switch
    {
        Datatype.Fp32 => AreClose<float>(expected, actual, absolute, relative),
        Datatype.Fp64 => AreClose<double>(expected, actual, absolute, relative),
        Datatype.Fp16 => AreClose<Half>(expected, actual, absolute, relative),
        Datatype.Bf16 => AreCloseBFloats(expected, actual, absolute, relative),

        // Labels, ids and texts: another one is another answer, however near.
        Datatype.Bool or Datatype.UInt8 or Datatype.UInt16 or Datatype.UInt32 or Datatype.UInt64 or Datatype.Int8 or Datatype.Int16 or Datatype.Int32 or Datatype.Int64
            or Datatype.Bytes or Datatype.Unknown => false,
    };

    private static bool AreClose<T>(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, double absolute, double relative)
        where T : unmanaged, IFloatingPoint<T>
    {
        var left = MemoryMarshal.Cast<byte, T>(expected);
        var right = MemoryMarshal.Cast<byte, T>(actual);
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i] && !AreClose(double.CreateChecked(left[i]), double.CreateChecked(right[i]), absolute, relative))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The upper half of an FP32.</summary>
    private static bool AreCloseBFloats(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, double absolute, double relative)
    {
        var left = MemoryMarshal.Cast<byte, ushort>(expected);
        var right = MemoryMarshal.Cast<byte, ushort>(actual);
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i] != right[i] && !AreClose(Number(left[i]), Number(right[i]), absolute, relative))
            {
                return false;
            }
        }

        return true;

        static double Number(ushort bits) => BitConverter.Int32BitsToSingle(bits << 16);
    }

    private static bool AreClose(double expected, double actual, double absolute, double relative) =>
        expected == actual
        || (double.IsNaN(expected) && double.IsNaN(actual))
        || (double.IsFinite(expected) && Math.Abs(expected - actual) <= absolute + (relative * Math.Abs(expected)));
}
