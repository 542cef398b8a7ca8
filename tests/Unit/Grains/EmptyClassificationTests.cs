using Cluster.Contracts.Wire;
using Cluster.Grains.Tensors;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class EmptyClassificationTests
{
    /// <summary>Each row without a column once took its turn: a client could name 2⁶² of them in a message of a hundred bytes.</summary>
    [Theory]
    [InlineData(1L << 62, 0L)]
    [InlineData(0L, 1L << 62)]
    public async Task Encode_AnyNumberOfRowsWithoutAColumn_EndsAtOnce(long rows, long columns) =>
        Assert.Empty(await Task.Run(() => Classification.Encode([], Datatype.Fp32, [rows, columns], 3, [])).Soon());
}
