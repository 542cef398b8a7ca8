using System.CommandLine;
using System.Text.Json;
using Cluster.Gateway.Security.Policy;
using Cluster.Silo.Options;
using Cluster.Unit.Gateway.Security;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class ApiKeyCommandTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly StringWriter _output = new();

    public void Dispose() => _output.Dispose();

    [Fact]
    public async Task Make_AKey_IsTheOneThatItsEntryKnowsUntilItExpires()
    {
        Assert.Equal(0, await ApiKeyCommand.Create(_time, _output).Parse("--days 10").InvokeAsync());
        var lines = _output.ToString().Split('\n');
        using var files = new TestAccess();
        files.Write(new { clients = new { a = new { keys = new[] { JsonDocument.Parse(lines[1]).RootElement } } }, rules = Array.Empty<object>() });

        var policy = AccessFile.Read(files.File);

        Assert.NotNull(policy.FindKey(lines[0], _time.GetUtcNow().AddDays(9.9), out var isExpired));
        Assert.False(isExpired);
        Assert.NotNull(policy.FindKey(lines[0], _time.GetUtcNow().AddDays(10), out isExpired));
        Assert.True(isExpired);
        Assert.DoesNotContain(lines[0].Split('.')[1], lines[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("3651")]
    [InlineData("x")]
    public async Task Make_WrongDays_IsRefused(string days)
    {
        Assert.NotEqual(0, await ApiKeyCommand.Create(_time, _output).Parse($"--days={days}").InvokeAsync(new InvocationConfiguration { Error = TextWriter.Null, Output = TextWriter.Null }));
        Assert.Empty(_output.ToString());
    }
}
