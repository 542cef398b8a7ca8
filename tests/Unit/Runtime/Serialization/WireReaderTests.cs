using Cluster.Runtime.CodeGeneration;
using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Unit.Runtime.Grains;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Runtime.Serialization;

/// <summary>The format of values: what is written is read, what a newer or older peer writes too, and nonsense is told.</summary>
public sealed class WireReaderTests
{
    private static byte[] Write<T>(WireCodec<T> codec, T value)
    {
        var writer = new WireWriter();
        writer.WriteMember(0, codec, value);
        writer.WriteEnd();
        var bytes = writer.Written.ToArray();
        writer.Abandon();
        return bytes;
    }

    private static T Read<T>(WireCodec<T> codec, byte[] bytes)
    {
        var reader = new WireReader(bytes);
        Assert.True(reader.TryReadKey(out _, out var kind));
        var value = codec.ReadMember(ref reader, kind);
        Assert.False(reader.TryReadKey(out _, out _));
        return value;
    }

    [Fact]
    public void Value_OfAnyNumber_ComesBack() => Prop.ForAll<long, ulong, double>((signed, unsigned, real) =>
        Read(Codecs.Int64, Write(Codecs.Int64, signed)) == signed
        && Read(Codecs.UInt64, Write(Codecs.UInt64, unsigned)) == unsigned
        && Read(Codecs.Double, Write(Codecs.Double, real)).Equals(real)
        && Read(Codecs.TimeSpan, Write(Codecs.TimeSpan, new TimeSpan(signed))).Ticks == signed).QuickCheckThrowOnFailure();

    [Fact]
    public void Failure_OfTheContracts_ComesBack()
    {
        var failure = Failure.Unavailable("gone", TimeSpan.FromSeconds(2));

        Assert.Equal(failure, Read(Codecs.Of<Failure>(), Write(Codecs.Of<Failure>(), failure)));
    }

    [Fact]
    public void Set_ThatIsSorted_IsOrdinalAtTheReader()
    {
        var codec = Codecs.ImmutableSortedSet(Codecs.String);

        var read = Read(codec, Write(codec, ImmutableSortedSet.Create(StringComparer.OrdinalIgnoreCase, "b", "A")));

        Assert.Equal(["A", "b"], read.AsEnumerable());
        Assert.Same(StringComparer.Ordinal, read.KeyComparer);
    }

    [Fact]
    public void Object_WithMembersOfANewerPeer_IsReadWithoutThem()
    {
        var writer = new WireWriter();
        writer.WriteKey(0, WireKind.Object);
        writer.WriteMember(0, Codecs.String, "name");
        writer.WriteMember(50, Codecs.Of<WireNode>(), new WireNode("x", new WireNode("y")));
        writer.WriteMember(51, Codecs.ImmutableArray(Codecs.NullableValue(Codecs.Double)), [1, null]);
        writer.WriteMember(52, Codecs.NullableReference(Codecs.String), null);
        writer.WriteEnd();
        writer.WriteEnd();

        Assert.Equal(new WireNode("name"), Read(Codecs.Of<WireNode>(), writer.Written.ToArray()));
        writer.Abandon();
    }

    [Fact]
    public void Object_OfAnOlderPeer_HasDefaultsForWhatIsMissing()
    {
        byte[] nothing = [(1 << 3) | (byte)WireKind.Object, 0, 0];

        var values = Read(Codecs.Of<WireValues>(), nothing);

        Assert.Equal("", values.Text);
        Assert.Empty(values.Nodes);
        Assert.Null(values.Maybe);
    }

    [Fact]
    public void Bytes_OfAnyKind_AreReadOrRefused()
    {
        var valid = Write(Codecs.Of<WireValues>(), new WireValues { Text = "t", Texts = ["a", "b"], Pair = ("p", 1), Node = new WireNode("n", new WireNode("m")) });
        var damaged = Gen.ListOf(Gen.Zip(Gen.Choose(0, valid.Length - 1), Gen.Choose(0, 255))).Select(edits =>
        {
            var bytes = valid.ToArray();
            foreach (var (position, value) in edits)
            {
                bytes[position] = (byte)value;
            }

            return bytes;
        });
        var random = Gen.ArrayOf(Gen.Choose(0, 255).Select(static value => (byte)value));
        Prop.ForAll(Gen.OneOf(damaged, random).ToArbitrary(), static bytes =>
        {
            try
            {
                var reader = new WireReader(bytes);
                while (reader.TryReadKey(out _, out var kind))
                {
                    Codecs.Of<WireValues>().ReadMember(ref reader, kind);
                }
            }
            catch (WireFormatException)
            {
                // As it should be told.
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    [Fact]
    public void Object_NestedWithoutEnd_IsRefused()
    {
        // A node within a node, and so on: member 1 of each.
        var bytes = Enumerable.Repeat((byte)((2 << 3) | (byte)WireKind.Object), 100_000).ToArray();
        bytes[0] = (1 << 3) | (byte)WireKind.Object;

        Assert.Throws<WireFormatException>(() => Read(Codecs.Of<WireNode>(), bytes));
    }

    [Fact]
    public void List_ThatAnnouncesMoreThanThereIs_IsRefused()
    {
        byte[] bytes = [(1 << 3) | (byte)WireKind.List, 0xFF, 0xFF, 0xFF, 0xFF, 0x07, (byte)WireKind.Varint, 0];

        Assert.Throws<WireFormatException>(() => Read(Codecs.Array(Codecs.Int32), bytes));
    }
}
