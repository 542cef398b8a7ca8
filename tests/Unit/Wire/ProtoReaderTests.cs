using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class ProtoReaderTests
{
    [Theory]
    [InlineData("00", "tag of field 0")]
    [InlineData("0E 00", "wire type 6")]
    [InlineData("0F 00", "wire type 7")]
    [InlineData("80 80 80 80 10 00", "tag beyond 32 bits")]
    [InlineData("08 80 80 80 80 80 80 80 80 80 80 01", "varint of 11 bytes")]
    [InlineData("08 80", "varint cut off")]
    [InlineData("09 01 02 03", "fixed64 cut off")]
    [InlineData("0D 01", "fixed32 cut off")]
    [InlineData("0A 05 01", "length beyond the end")]
    [InlineData("0A FF FF FF FF FF FF FF FF FF 01", "length beyond every integer")]
    [InlineData("0B", "group without end")]
    [InlineData("0B 14", "group with another's end")]
    [InlineData("0C", "end without group")]
    public void Skip_MalformedField_SaysInvalidArgument(string hex, string what)
    {
        var bytes = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

        var exception = Assert.Throws<ServingException>(() => SkipAll(bytes));

        Assert.True(exception.Failure.Code == StatusCode.InvalidArgument, what);
        Assert.StartsWith("malformed Test: ", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    [InlineData(100_000, false)]
    public void Skip_NestedGroups_StopsAtALimit(int depth, bool reads)
    {
        byte[] bytes = [.. Enumerable.Repeat((byte)0x0B, depth), .. Enumerable.Repeat((byte)0x0C, depth)];

        if (reads)
        {
            Assert.Equal(1, SkipAll(bytes));
        }
        else
        {
            Assert.Throws<ServingException>(() => SkipAll(bytes));
        }
    }

    [Fact]
    public void ReadString_NotUtf8_SaysInvalidArgument()
    {
        var exception = Assert.Throws<ServingException>(() =>
        {
            var reader = new ProtoReader([0x0A, 2, 0xC3, 0x28], "Test");
            reader.Next();
            reader.ReadString();
        });

        Assert.Contains("not UTF-8", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ReadSlice_OtherWireType_NamesBoth()
    {
        var exception = Assert.Throws<ServingException>(() => InferRequestHeader.Scan([0x08, 1]));

        Assert.Contains("field 1 as Varint, expected LengthDelimited", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_InsideARange_StopsAtItsEnd()
    {
        byte[] bytes = [0x08, 1, 0x10, 2, 0x18, 3];
        var reader = new ProtoReader(bytes, new Slice(2, 2), "Test");

        Assert.True(reader.Next());
        Assert.Equal((2, 2UL), (reader.Field, reader.ReadVarintField()));
        Assert.False(reader.Next());
    }

    [Theory]
    [InlineData(0UL, 1)]
    [InlineData(127UL, 1)]
    [InlineData(128UL, 2)]
    [InlineData(16_383UL, 2)]
    [InlineData(16_384UL, 3)]
    [InlineData((1UL << 63) - 1, 9)]
    [InlineData(1UL << 63, 10)]
    [InlineData(ulong.MaxValue, 10)]
    public void WriteVarint_AnyLongerForm_ReadsBack(ulong value, int size)
    {
        Assert.Equal(size, ProtoWriter.VarintSize(value));
        for (var written = size; written <= ProtoWriter.MaxVarintSize; written++)
        {
            var bytes = new byte[written];
            var writer = new ProtoWriter(bytes);
            writer.WriteVarint(value, written);
            var reader = new ProtoReader(bytes, "Test");

            Assert.Equal(written, writer.Position);
            Assert.Equal(value, reader.ReadVarint());
            Assert.Equal(written, reader.Position);
        }
    }

    private static int SkipAll(byte[] bytes)
    {
        var fields = 0;
        for (var reader = new ProtoReader(bytes, "Test"); reader.Next(); fields++)
        {
            reader.Skip();
        }

        return fields;
    }
}
