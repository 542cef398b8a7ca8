using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Wire;

/// <summary>Reads entries of <c>parameters</c> maps.</summary>
internal static class ParameterParser
{
    public static InferParameterValue Parse(ReadOnlySpan<byte> message, Slice range)
    {
        var key = ParseKey(message, range, out var value);
        var parameter = new InferParameterValue(key, InferParameterKind.None, 0, default);
        var reader = new ProtoReader(message, value, "InferParameter");
        while (reader.Next())
        {
            switch ((InferParameterKind)reader.Field)
            {
                case InferParameterKind.Bool:
                    parameter = new(key, InferParameterKind.Bool, reader.ReadVarintField() == 0 ? 0 : 1, default);
                    break;
                case InferParameterKind.Int64:
                    parameter = new(key, InferParameterKind.Int64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.UInt64:
                    parameter = new(key, InferParameterKind.UInt64, (long)reader.ReadVarintField(), default);
                    break;
                case InferParameterKind.Text:
                    parameter = new(key, InferParameterKind.Text, 0, reader.ReadString());
                    break;
                case InferParameterKind.Double when reader.WireType == WireType.Fixed64:
                    parameter = new(key, InferParameterKind.Double, (long)reader.ReadFixed64(), default);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return parameter;
    }

    /// <summary>An entry's name, and where its value is.</summary>
    public static Slice ParseKey(ReadOnlySpan<byte> message, Slice range, out Slice value)
    {
        Slice key = default;
        value = default;
        var entry = new ProtoReader(message, range, "InferParameter");
        while (entry.Next())
        {
            switch (entry.Field)
            {
                case 1:
                    key = entry.ReadString();
                    break;
                case 2:
                    value = entry.ReadSlice();
                    break;
                default:
                    entry.Skip();
                    break;
            }
        }

        return key;
    }
}

/// <summary>One entry of a <c>parameters</c> map.</summary>
/// <param name="Key">The name, UTF-8.</param>
/// <param name="Kind">Which member of the oneof is set.</param>
/// <param name="Bits">The value of a bool (0 or 1), an integer, or a double's bits.</param>
/// <param name="Text">The value of a string, UTF-8.</param>
public readonly record struct InferParameterValue(Slice Key, InferParameterKind Kind, long Bits, Slice Text);

/// <summary>The members of <c>InferParameter</c>'s oneof, with their field numbers.</summary>
public enum InferParameterKind : byte
{
    None = 0,
    Bool = 1,
    Int64 = 2,
    Text = 3,
    Double = 4,
    UInt64 = 5,
}

/// <summary>What the parameters of a request and of its tensors may say: one set of checks, whichever protocol they came by.</summary>
public static class ParameterRules
{
    private static readonly Failure WrongTimeout = Failure.InvalidArgument(
        "request parameter 'timeout' must be an integer of at least 0: microseconds, 0 for no limit");

    private static readonly Failure WrongPriority = Failure.InvalidArgument(
        "request parameter 'priority' must be an integer of at least 0: 1 runs first, 0 is the model's default");

    /// <summary>Above this a time is no limit: timers take no more.</summary>
    private const long MaxTimeoutMicroseconds = int.MaxValue * 1000L;

    public static ReadOnlySpan<byte> Classification => "classification"u8;

    private static ReadOnlySpan<byte> Timeout => "timeout"u8;

    private static ReadOnlySpan<byte> Priority => "priority"u8;

    private static ReadOnlySpan<byte> SharedMemoryPrefix => "shared_memory_"u8;

    /// <summary>Whether a request parameter of this name is more than words for others.</summary>
    public static bool IsRead(ReadOnlySpan<byte> key) => key.SequenceEqual(Timeout) || key.SequenceEqual(Priority);

    /// <summary>Whether a tensor's parameter says that its data is not in the message.</summary>
    public static bool IsSharedMemory(ReadOnlySpan<byte> key) => key.StartsWith(SharedMemoryPrefix);

    /// <param name="role">"input" or "output".</param>
    /// <param name="name">The tensor's, UTF-8; may be empty.</param>
    /// <returns>UNIMPLEMENTED.</returns>
    public static ServingException SharedMemory(string role, ReadOnlySpan<byte> name) => new(new Failure(
        StatusCode.Unimplemented, $"{role} '{Utf8Text.Of(name)}' refers to shared memory, which this server does not offer; leave its shared_memory parameters out: tensors are sent in the messages"));

    /// <summary>How many classes an output asks for; 0, as without the parameter, for the tensor itself.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT.</exception>
    public static long ReadClassification(InferParameterKind kind, long bits, ReadOnlySpan<byte> output) =>
        kind == InferParameterKind.None ? 0
        : IsCount(kind, bits) ? bits
        : throw ServingException.InvalidArgument(
            $"parameter 'classification' of output '{Utf8Text.Of(output)}' must be an integer of at least 0: how many classes to answer, 0 for the tensor itself");

    /// <summary>Takes what a request parameter says into account: the time that its client gives the request.</summary>
    /// <returns>Why the request is refused, INVALID_ARGUMENT; null if it is not.</returns>
    public static Failure? Read(ReadOnlySpan<byte> key, InferParameterKind kind, long bits, ref TimeSpan? timeout)
    {
        if (kind == InferParameterKind.None || !IsRead(key))
        {
            return null;
        }

        if (key.SequenceEqual(Timeout))
        {
            timeout = bits is > 0 and <= MaxTimeoutMicroseconds ? TimeSpan.FromMicroseconds(bits) : null;
            return IsCount(kind, bits) ? null : WrongTimeout;
        }

        return IsCount(kind, bits) ? null : WrongPriority;
    }

    /// <summary>The priority that a request asks for; 0 for the model's default.</summary>
    public static long PriorityOf(ReadOnlySpan<byte> message, IReadOnlyList<InferParameterValue> parameters)
    {
        long priority = 0;
        for (var i = 0; i < parameters.Count; i++)
        {
            if (parameters[i].Key.Of(message).SequenceEqual(Priority) && IsCount(parameters[i].Kind, parameters[i].Bits))
            {
                priority = parameters[i].Bits;
            }
        }

        return priority;
    }

    private static bool IsCount(InferParameterKind kind, long bits) => kind is InferParameterKind.Int64 or InferParameterKind.UInt64 && bits >= 0;
}
