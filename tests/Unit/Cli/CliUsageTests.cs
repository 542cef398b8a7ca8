using Xunit;

namespace Cluster.Unit.Cli;

/// <summary>What is wrong with a command line is told before a server is asked.</summary>
public sealed class CliUsageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-cli-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("", "expected one of get, describe, load, unload")]
    [InlineData("frobnicate", "'frobnicate'")]
    [InlineData("get", "expected one of models, silos, aliases, cluster")]
    [InlineData("load", "load")]
    [InlineData("get models -o xml", "'xml'")]
    [InlineData("get models --timeout 0", "--timeout is '0', expected a number, 1 to 2592000")]
    [InlineData("get models --timeout 99999999", "--timeout is '99999999', expected a number, 1 to 2592000")]
    [InlineData("top --interval 9999999", "--interval is '9999999', expected a number, 1 to 2592000")]
    [InlineData("events -w -n 0", "--count is '0', expected a number, at least 1")]
    [InlineData("top --interval x", "expected a number, 1 to")]
    [InlineData("top --rows 0", "expected a number, at least 1")]
    [InlineData("register m", "--path")]
    [InlineData("get models --server localhost:8000", "expected an address such as https://")]
    [InlineData("get models --server http://user:secret@h:1", "without a path and without a key")]
    [InlineData("get models --cert a.pem", "a certificate needs its key")]
    [InlineData("get models --ca nosuch.pem", "the file of authorities nosuch.pem cannot be read")]
    [InlineData("get models --key-file nosuch", "the key file nosuch cannot be read")]
    [InlineData("get models --profile nosuch", "profile 'nosuch' is unknown")]
    [InlineData("diff -f nosuch.yaml", "nosuch.yaml cannot be read")]
    [InlineData("alias set a m --canary n", "--canary is given without --percent")]
    [InlineData("alias set a m --canary n --shadow n --percent 1", "--canary and --shadow are both given")]
    [InlineData("alias set a m --percent 1", "is given without --canary or --shadow")]
    [InlineData("alias set a m/2", "is given without --canary or --shadow")]
    [InlineData("alias set a m --canary n/x --percent 1", "'n/x' names no version after its slash")]
    [InlineData("alias set a m --canary n --percent ten", "--percent is 'ten', expected a number")]
    [InlineData("rollback", "rollback")]
    [InlineData("scale m", "expected --min, --max or both, or else --reset")]
    [InlineData("scale m --min 2 --reset", "expected --min, --max or both, or else --reset")]
    [InlineData("scale m --min 0", "--min is '0', expected a number, 1 to 1000")]
    [InlineData("drain", "drain")]
    [InlineData("bench m x.json --rate 0", "--rate is '0', expected a number above 0, up to 100000")]
    [InlineData("bench m x.json --rate 5 -c 2", "--rate and --concurrency are both given")]
    [InlineData("bench m nosuch.json", "nosuch.json cannot be read")]
    public async Task WrongUsage_IsToldWithWhatWouldBeRight(string line, string expected)
    {
        var run = await RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

        Assert.Equal((64, ""), (run.ExitCode, run.Output));
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--key-file is empty, expected FILE", "get", "models", "--key-file", "")]
    [InlineData("--server is empty, expected URL", "get", "models", "--server", "")]
    [InlineData("a file's name is empty", "infer", "m", "")]
    [InlineData("a file's name is empty", "apply", "-f", "")]
    public async Task Words_ThatAreEmpty_AreRefused(string expected, params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.StartsWith($"error: {expected}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("two\nlines")]
    [InlineData("two words")]
    [InlineData("schl\u00fcssel")]
    public async Task Key_ThatNoHeaderTakes_IsRefusedAndNotShown(string key)
    {
        var variable = await CliRun.RunAsync(new Dictionary<string, string> { ["CLUSTER_KEY"] = key }, "", ["get", "cluster"], TestContext.Current.CancellationToken);
        var file = await RunAsync("get", "cluster", "--key-file", Write("key", key));

        Assert.Equal((64, 64), (variable.ExitCode, file.ExitCode));
        Assert.StartsWith("error: the key or token has spaces, line breaks or letters beyond ASCII", variable.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(key, variable.Error + file.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models: [", "is no valid YAML, line 2")]
    [InlineData("{\"models\": {\"m\": 1}", "is no valid JSON")]
    [InlineData("model: {}", "has an unknown key 'model', expected models, aliases")]
    [InlineData("models: { m: { type: onnx } }", "model 'm' has no path")]
    [InlineData("models: { m: { path: 1 } }", "path is no text; quote what reads as a number")]
    [InlineData("models: { m: { path: a, replicas: 2 } }", "has an unknown key 'replicas', expected type, path, settings")]
    [InlineData("aliases: { a: }", "alias 'a' leads to no model")]
    [InlineData("aliases: { a: { model: m, own: x } }", "has an unknown key 'own', expected model, owner")]
    [InlineData("aliases: { a: { model: m, traffic: 1 } }", "traffic is no mapping")]
    [InlineData("aliases: { a: { model: m, traffic: { percent: 1 } } }", "traffic has no candidate")]
    [InlineData("aliases: { a: { model: m, traffic: { candidate: n, share: 1 } } }", "traffic has an unknown key 'share', expected candidate, ")]
    [InlineData("models: &a { m: *a }", "nested too deeply, or an anchor")]
    public async Task Manifest_ThatIsWrong_IsRefusedWithThePlace(string text, string expected)
    {
        var run = await RunAsync("apply", "-f", Write("manifest.yaml", text));

        Assert.Equal(64, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("profile: {}", "has an unknown key 'profile', expected profiles")]
    [InlineData("profiles: { default: { url: x } }", "has an unknown key 'url', expected server, ca, cert, key, api-key-file")]
    [InlineData("profiles: { default: { server: \"http://192.0.2.1:8000\", api-key-file: config.yaml } }", "the key would go to 192.0.2.1 unencrypted")]
    [InlineData("profiles: { other: { server: \"http://127.0.0.1:8000\" } }", "profile 'mine' is unknown", "--profile", "mine")]
    public async Task Profile_ThatIsWrong_IsRefused(string text, string expected, params string[] options)
    {
        Write("cluster/config.yaml", text);

        var run = await RunAsync(["get", "cluster", .. options]);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash", "complete -o filenames -F _cluster cluster")]
    [InlineData("zsh", "#compdef cluster")]
    [InlineData("fish", "complete -c cluster")]
    public async Task Completion_OfAShell_PrintsItsScript(string shell, string expected)
    {
        var run = await RunAsync("completion", shell);

        Assert.Equal(0, run.ExitCode);
        Assert.Contains(expected, run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("get mo", "models")]
    [InlineData("dr", "drain")]
    [InlineData("bench m f --", "--rate,--concurrency,--seconds")]
    [InlineData("alias ", "clear,delete,get,set,show")]
    [InlineData("get models -o ", "json,table,wide,yaml")]
    public async Task Suggest_APartOfALine_NamesWhatMayFollow(string line, string expected)
    {
        var run = await RunAsync($"[suggest:{line.Length}]", line);

        Assert.Equal(0, run.ExitCode);
        Assert.Superset(expected.Split(',').ToHashSet(), run.Output.Split('\n').ToHashSet());
    }

    private Task<CliRun> RunAsync(params string[] arguments) =>
        CliRun.RunAsync(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _folder.FullName }, "", arguments, TestContext.Current.CancellationToken);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
