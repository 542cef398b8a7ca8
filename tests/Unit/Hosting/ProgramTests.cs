using System.Reflection.PortableExecutable;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Hosting;

/// <summary>The program that operators start.</summary>
public sealed class ProgramTests
{
    [Theory]
    [InlineData("Cluster.Grains.dll")]
    [InlineData("Orleans.Runtime.dll")]
    [InlineData("StackExchange.Redis.dll")]
    public void Library_Published_IsCompiledAhead(string library)
    {
        using var reader = new PEReader(File.OpenRead(Path.Combine(Path.GetDirectoryName(ServerProcess.Program)!, library)));

        Assert.True(reader.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size > 0);
    }
}
