using System.Text.RegularExpressions;
using Cluster.Gateway.Console;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>The page at <c>/console</c>: whole, from this gateway alone, and without a way for text to become markup.</summary>
public sealed partial class ConsoleFilesTests : RestServer
{
    [Fact]
    public async Task GetConsole_Page_NamesFilesThatAreThere()
    {
        var page = await Host.GetAsync("/console");

        Assert.Equal((200, "text/html; charset=utf-8"), (page.Status, page.Header("Content-Type")));
        var files = References().Matches(page.Text).Select(static match => match.Groups[1].Value).Where(static file => file.StartsWith('/')).ToList();
        Assert.Equal(["/console/console.css", "/console/console.js"], files.Order());
        foreach (var file in files)
        {
            Assert.Equal(200, (await Host.GetAsync(file)).Status);
        }
    }

    [Theory]
    [InlineData("/console")]
    [InlineData("/console/console.css")]
    [InlineData("/console/console.js")]
    public async Task GetConsole_EachFile_RefusesWhatIsFromElsewhereOrInline(string path)
    {
        var file = await Host.GetAsync(path);

        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", file.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", file.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("nosniff", file.Header("X-Content-Type-Options"));
        Assert.DoesNotMatch("https?:|//cdn|@import|url\\(", file.Text);
        Assert.DoesNotMatch("(?i)innerHTML|outerHTML|insertAdjacentHTML|document\\.write|eval\\(|new Function|<[^>]+ on[a-z]+=|<style|style=", file.Text);
    }

    [Fact]
    public async Task GetConsole_TurnedOff_IsAnUnknownPath()
    {
        await using var host = await RestHost.StartAsync(console: new ConsoleOptions { Enabled = false });

        Assert.Equal(404, (await host.GetAsync("/console")).Status);
        Assert.Equal(404, (await host.GetAsync("/console/console.js")).Status);
        Assert.Equal(200, (await host.GetAsync("/v2/cluster/events")).Status);
    }

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex References();
}
