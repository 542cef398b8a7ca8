using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Silo;

/// <summary>The page that lists the options lists all of them, and the other commands.</summary>
public sealed class OptionsPageTests
{
    [Fact]
    public async Task Operations_EveryOptionAndCommand_IsOnThePage()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(TestPaths.Root, "docs", "operations.md"));
        var command = ServeCommand.Create(_ => Task.FromResult(0), _ => Task.FromResult(0));

        Assert.All(
            command.Options.Where(static option => option.HelpName is not null),
            option => Assert.Contains($"\n| `{option.Name} ", page, StringComparison.Ordinal));
        Assert.All(command.Subcommands, subcommand => Assert.Contains($"`./serve {subcommand.Name}", page, StringComparison.Ordinal));
    }
}
