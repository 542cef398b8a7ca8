using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>The same settings and defaults are in docker-compose.yml with what may be beside it, .env.example and the Dockerfile.</summary>
public sealed partial class ComposeFileTests
{
    private const string Secured = "deploy/secured/compose.yml";

    /// <summary>What Compose itself reads.</summary>
    private static readonly KeyValuePair<string, string?> ComposeFile = new("COMPOSE_FILE", "docker-compose.yml");

    [Fact]
    public void EnvExample_NamesEverySettingOfTheComposeFileWithItsDefault()
    {
        var used = Used();
        var named = Named();

        Assert.True(used.Count > 15);
        used.Add(ComposeFile.Key, ComposeFile.Value);
        Assert.Equal(used.Where(static setting => setting.Value is not null), named.Where(setting => used.GetValueOrDefault(setting.Key) is not null));
        Assert.Equal(used.Keys, named.Keys);
    }

    [Fact]
    public void EnvExample_SetsNothingUntilItIsEdited() =>
        Assert.DoesNotContain(Lines(".env.example"), static line => line.Length > 0 && !line.StartsWith('#'));

    [Fact]
    public void ComposeFile_BaseImages_AreThoseOfTheDockerfile()
    {
        var arguments = Lines("deploy/Dockerfile").Select(static line => Argument().Match(line)).Where(static match => match.Success)
            .ToDictionary(static match => match.Groups[1].Value, static match => match.Groups[2].Value);
        var used = Used();

        foreach (var name in new[] { "SDK_IMAGE", "ASPNET_IMAGE", "REVISION" })
        {
            Assert.Equal(arguments[name], used[name]);
        }
    }

    /// <summary>What is on in one file is not off again in the other.</summary>
    [Fact]
    public void SecuredFile_TurnsOnWhatTheComposeFileLeavesPlain()
    {
        var secured = string.Join('\n', Lines(Secured));

        Assert.Contains("Cluster__Insecure: \"true\"", string.Join('\n', Lines("docker-compose.yml")), StringComparison.Ordinal);
        Assert.Contains("Cluster__Insecure: \"false\"", secured, StringComparison.Ordinal);
        foreach (var service in new[] { "silo", "silo-openvino", "gateway", "prometheus" })
        {
            Assert.Matches($@"(?m)^  {service}:", secured);
        }
    }

    [Fact]
    public void ComposeFile_StopGrace_IsLongerThanADrain()
    {
        var used = Used();

        Assert.True(int.Parse(used["STOP_GRACE"]!.TrimEnd('s'), null) >= int.Parse(used["STOP_SECONDS"]!, null) + 10);
    }

    /// <summary>Variables of the compose file with their defaults; null where it passes on what is set, or nothing.</summary>
    private static SortedDictionary<string, string?> Used()
    {
        var used = new SortedDictionary<string, string?>(StringComparer.Ordinal);
        foreach (var line in Lines("docker-compose.yml").Concat(Lines(Secured)).Where(static line => !line.TrimStart().StartsWith('#')))
        {
            foreach (var match in Variable().Matches(line).AsEnumerable())
            {
                Assert.True(used.TryAdd(match.Groups[1].Value, match.Groups[2].Value) || used[match.Groups[1].Value] == match.Groups[2].Value, $"two defaults of {match.Groups[1].Value}");
            }

            if (PassedOn().Match(line) is { Success: true } passed)
            {
                used.Add(passed.Groups[1].Value, null);
            }
        }

        return used;
    }

    private static SortedDictionary<string, string?> Named() => new(
        Lines(".env.example").Select(static line => Setting().Match(line)).Where(static match => match.Success)
            .ToDictionary(static match => match.Groups[1].Value, static match => (string?)match.Groups[2].Value),
        StringComparer.Ordinal);

    private static string[] Lines(string file) => File.ReadAllLines(Path.Combine(TestPaths.Root, file));

    [GeneratedRegex(@"(?<!\$)\$\{([A-Z_]+):-([^}]*)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^ +(Cluster__\w+):$")]
    private static partial Regex PassedOn();

    [GeneratedRegex(@"^#([A-Za-z_]+)=(.*)$")]
    private static partial Regex Setting();

    [GeneratedRegex(@"^ARG ([A-Z_]+)=(.*)$")]
    private static partial Regex Argument();
}
