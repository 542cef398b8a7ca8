using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>The codecs that generated code is put together from. What is not here cannot cross a process boundary.</summary>
public static class Codecs
{
    public static WireCodec<bool> Boolean { get; } = new ScalarCodec<bool>(
        WireKind.Varint, static (writer, value) => writer.WriteByte(value ? (byte)1 : (byte)0), static (ref reader) => reader.ReadVarint() != 0);

    public static WireCodec<byte> Byte { get; } = new UnsignedCodec<byte>();

    public static WireCodec<sbyte> SByte { get; } = new SignedCodec<sbyte>();

    public static WireCodec<short> Int16 { get; } = new SignedCodec<short>();

    public static WireCodec<ushort> UInt16 { get; } = new UnsignedCodec<ushort>();

    public static WireCodec<int> Int32 { get; } = new SignedCodec<int>();

    public static WireCodec<uint> UInt32 { get; } = new UnsignedCodec<uint>();

    public static WireCodec<long> Int64 { get; } = new SignedCodec<long>();

    public static WireCodec<ulong> UInt64 { get; } = new UnsignedCodec<ulong>();

    public static WireCodec<char> Char { get; } = new UnsignedCodec<char>();

    public static WireCodec<float> Single { get; } = new ScalarCodec<float>(
        WireKind.Fixed32, static (writer, value) => writer.WriteFixed32(BitConverter.SingleToUInt32Bits(value)), static (ref reader) => BitConverter.UInt32BitsToSingle(reader.ReadFixed32()));

    public static WireCodec<double> Double { get; } = new ScalarCodec<double>(
        WireKind.Fixed64, static (writer, value) => writer.WriteFixed64(BitConverter.DoubleToUInt64Bits(value)), static (ref reader) => BitConverter.UInt64BitsToDouble(reader.ReadFixed64()));

    public static WireCodec<string> String { get; } = new ScalarCodec<string>(
        WireKind.Bytes, static (writer, value) => writer.WriteText(value), static (ref reader) => reader.ReadText(), static () => "");

    public static WireCodec<byte[]> ByteArray { get; } = new ScalarCodec<byte[]>(
        WireKind.Bytes, static (writer, value) => writer.WriteBytes(value), static (ref reader) => reader.ReadBytes().ToArray(), static () => []);

    public static WireCodec<TimeSpan> TimeSpan { get; } = new ScalarCodec<TimeSpan>(
        WireKind.Varint, static (writer, value) => writer.WriteSigned(value.Ticks), static (ref reader) => new TimeSpan(reader.ReadSigned()));

    /// <summary>Local time and offset, as two numbers in one text of bytes.</summary>
    public static WireCodec<DateTimeOffset> DateTimeOffset { get; } = new ScalarCodec<DateTimeOffset>(
        WireKind.Bytes, SpecialValues.Write, SpecialValues.ReadDateTimeOffset);

    public static WireCodec<Guid> Guid { get; } = new ScalarCodec<Guid>(
        WireKind.Bytes, SpecialValues.Write, SpecialValues.ReadGuid);

    public static WireCodec<GrainId> GrainId { get; } = new ScalarCodec<GrainId>(
        WireKind.Bytes, static (writer, value) => writer.WriteText(value.ToString()), SpecialValues.ReadGrainId);

    public static WireCodec<SiloAddress> SiloAddress { get; } = new ScalarCodec<SiloAddress>(
        WireKind.Bytes, static (writer, value) => writer.WriteText(value.ToParsableString()), SpecialValues.ReadSiloAddress, static () => Cluster.Runtime.SiloAddress.Zero);

    /// <summary>A type with <see cref="GenerateSerializerAttribute"/>.</summary>
    public static WireCodec<T> Of<T>() => ObjectWireCodec<T>.Instance;

    /// <summary>A type with a <see cref="PayloadCodec{T}"/>.</summary>
    public static WireCodec<T> Payload<T>()
        where T : class, IDisposable => PayloadWireCodec<T>.Instance;

    public static WireCodec<T> Enum<T>()
        where T : struct, Enum => new EnumCodec<T>();

    public static WireCodec<T?> NullableValue<T>(WireCodec<T> inner)
        where T : struct => new NullableValueCodec<T>(inner);

    public static WireCodec<T?> NullableReference<T>(WireCodec<T> inner)
        where T : class => new NullableReferenceCodec<T>(inner);

    public static WireCodec<T[]> Array<T>(WireCodec<T> items) => new SequenceCodec<T[], T>(items, static list => list, static array => array);

    public static WireCodec<List<T>> List<T>(WireCodec<T> items) => new SequenceCodec<List<T>, T>(items, static list => list, static array => [.. array]);

    public static WireCodec<IReadOnlyList<T>> ReadOnlyList<T>(WireCodec<T> items) =>
        new SequenceCodec<IReadOnlyList<T>, T>(items, static list => list, static array => array);

    public static WireCodec<ImmutableArray<T>> ImmutableArray<T>(WireCodec<T> items) => new SequenceCodec<ImmutableArray<T>, T>(
        items, static list => list.IsDefault ? [] : list, static array => ImmutableCollectionsMarshal.AsImmutableArray(array));

    public static WireCodec<Dictionary<TKey, TValue>> Dictionary<TKey, TValue>(WireCodec<TKey> keys, WireCodec<TValue> values)
        where TKey : notnull => new SequenceCodec<Dictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
            new PairCodec<TKey, TValue>(keys, values), static map => [.. map], DictionaryOf);

    public static WireCodec<IReadOnlyDictionary<TKey, TValue>> ReadOnlyDictionary<TKey, TValue>(WireCodec<TKey> keys, WireCodec<TValue> values)
        where TKey : notnull => new SequenceCodec<IReadOnlyDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
            new PairCodec<TKey, TValue>(keys, values), static map => [.. map], DictionaryOf);

    public static WireCodec<ImmutableDictionary<TKey, TValue>> ImmutableDictionary<TKey, TValue>(WireCodec<TKey> keys, WireCodec<TValue> values)
        where TKey : notnull => new SequenceCodec<ImmutableDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
            new PairCodec<TKey, TValue>(keys, values), static map => [.. map], static array => Unique(() => array.ToImmutableDictionary()));

    /// <summary>In the order of the items, texts by their code units, whatever the sender's order was.</summary>
    public static WireCodec<ImmutableSortedSet<T>> ImmutableSortedSet<T>(WireCodec<T> items) => new SequenceCodec<ImmutableSortedSet<T>, T>(
        items, static set => set, static array => array.ToImmutableSortedSet(OrderOf<T>()));

    /// <summary>In the order of the keys, as for <see cref="ImmutableSortedSet{T}"/>.</summary>
    public static WireCodec<ImmutableSortedDictionary<TKey, TValue>> ImmutableSortedDictionary<TKey, TValue>(WireCodec<TKey> keys, WireCodec<TValue> values)
        where TKey : notnull => new SequenceCodec<ImmutableSortedDictionary<TKey, TValue>, KeyValuePair<TKey, TValue>>(
            new PairCodec<TKey, TValue>(keys, values), static map => [.. map], static array => Unique(() => array.ToImmutableSortedDictionary(OrderOf<TKey>())));

    public static WireCodec<(T1 First, T2 Second)> Tuple<T1, T2>(WireCodec<T1> first, WireCodec<T2> second) => new TupleCodec<T1, T2>(first, second);

    private static Dictionary<TKey, TValue> DictionaryOf<TKey, TValue>(KeyValuePair<TKey, TValue>[] entries)
        where TKey : notnull => Unique(() => new Dictionary<TKey, TValue>(entries));

    private static IComparer<T> OrderOf<T>() => typeof(T) == typeof(string) ? (IComparer<T>)StringComparer.Ordinal : Comparer<T>.Default;

    private static T Unique<T>(Func<T> create)
    {
        try
        {
            return create();
        }
        catch (ArgumentException error)
        {
            throw new WireFormatException("a dictionary has a key twice, or a null key", error);
        }
    }
}
