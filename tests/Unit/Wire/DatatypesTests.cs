using System.Text;
using Cluster.Contracts.Wire;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class DatatypesTests
{
    [Theory]
    [InlineData("BOOL", Datatype.Bool, 1)]
    [InlineData("UINT8", Datatype.UInt8, 1)]
    [InlineData("UINT16", Datatype.UInt16, 2)]
    [InlineData("UINT32", Datatype.UInt32, 4)]
    [InlineData("UINT64", Datatype.UInt64, 8)]
    [InlineData("INT8", Datatype.Int8, 1)]
    [InlineData("INT16", Datatype.Int16, 2)]
    [InlineData("INT32", Datatype.Int32, 4)]
    [InlineData("INT64", Datatype.Int64, 8)]
    [InlineData("FP16", Datatype.Fp16, 2)]
    [InlineData("BF16", Datatype.Bf16, 2)]
    [InlineData("FP32", Datatype.Fp32, 4)]
    [InlineData("FP64", Datatype.Fp64, 8)]
    [InlineData("BYTES", Datatype.Bytes, 0)]
    public void Parse_TheProtocolsNames_GivesThemBack(string name, Datatype datatype, int size)
    {
        Assert.Equal(datatype, Datatypes.Parse(Encoding.ASCII.GetBytes(name)));
        Assert.Equal(name, datatype.Name());
        Assert.Equal(name, Encoding.ASCII.GetString(datatype.Utf8Name()));
        Assert.Equal(size, datatype.ElementSize());
        Assert.Contains(name, Datatypes.AllNames.Split(", "));
    }

    [Theory]
    [InlineData("")]
    [InlineData("fp32")]
    [InlineData("FP32 ")]
    [InlineData("FP3")]
    [InlineData("UNKNOWN")]
    [InlineData("STRING")]
    public void Parse_AnythingElse_IsUnknown(string name) => Assert.Equal(Datatype.Unknown, Datatypes.Parse(Encoding.ASCII.GetBytes(name)));

    [Fact]
    public void Of_LongText_IsCut()
    {
        Assert.Equal(new string('a', 256), Utf8Text.Of(Encoding.ASCII.GetBytes(new string('a', 256))));
        Assert.Equal(new string('a', 256) + "…", Utf8Text.Of(Encoding.ASCII.GetBytes(new string('a', 257))));
    }
}
