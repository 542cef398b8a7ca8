using Cluster.Conformance.Reload;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Trust;

/// <summary>A server that takes signed models alone, and what its commands make: as an operator uses them.</summary>
public sealed class SignedServerTests : IDisposable
{
    private const string Model = "signed";

    private readonly ModelFolder _models = ModelFolder.Create();
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("cluster-trust-");

    private string ModelPath => Path.Combine(_models.Path, Model);

    private string KeyPath(string name) => Path.Combine(_work.FullName, name);

    /// <summary>Each change is put in place by one rename.</summary>
    [Fact]
    public async Task Reload_SignedContentUnderLoad_LoadsWhatIsSignedAndKeepsTheOldForWhatIsNot()
    {
        await MakeKeysAsync();
        await PublishAsync(adds: 1);
        await using var process = await StartAsync();
        using var server = new ReloadServer(process);
        Assert.Equal(1, await server.AddsAsync(Model));
        var load = new SteadyLoad("signed, gRPC", () => new GrpcInferClient(process.GrpcTarget), Model, [1, 2, 3]);
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => load.RunAsync(stop.Token));

        for (var round = 0; round < 3; round++)
        {
            await PublishAsync(adds: 2);
            await server.UntilAsync(async () => await server.AddsAsync(Model) == 2);
            await PublishAsync(adds: 3, damage: static folder => File.AppendAllText(Path.Combine(folder, "1", "manifest.json"), " "));
            await server.UntilAsync(async () => (await server.RowAsync(Model, 1)).Reason.Contains("its signature is wrong", StringComparison.Ordinal));
            Assert.Equal(2, await server.AddsAsync(Model));
            await PublishAsync(adds: 3, damage: static folder => File.WriteAllText(Path.Combine(folder, "model.json"), """{"concurrency":5}"""));
            await server.UntilAsync(async () => (await server.RowAsync(Model, 1)).Reason.Contains("its settings are not those that were signed", StringComparison.Ordinal));
            Assert.Equal(2, await server.AddsAsync(Model));
            Assert.DoesNotContain(_models.Path, (await server.RowAsync(Model, 1)).Reason, StringComparison.Ordinal);
            await PublishAsync(adds: 3);
            await server.UntilAsync(async () => await server.AddsAsync(Model) == 3);
            await server.UntilAsync(async () => await server.RowAsync(Model, 1) == ("READY", ""));
        }

        await stop.CancelAsync();
        await running;
        Assert.True(load.Failed == 0, string.Join('\n', load.Failures));
        Assert.True(load.Answered > 100, $"{load}");
    }

    [Fact]
    public async Task Start_UnsignedModelBesideASignedOne_ServesTheSignedOneAlone()
    {
        await MakeKeysAsync();
        await PublishAsync(adds: 1);
        _models.AddVersion("plain", 1, RepositoryChanges.ContentOf(2));

        await using var process = await StartAsync();
        using var server = new ReloadServer(process);

        Assert.Equal(1, await server.AddsAsync(Model));
        Assert.Null(await server.AddsAsync("plain"));
        var (state, reason) = await server.RowAsync("plain", 1);
        Assert.Equal(("UNAVAILABLE", "it has no manifest.json, which --require-signed-models wants"), (state, reason[(reason.IndexOf(": ", StringComparison.Ordinal) is var at and >= 0 ? at + 2 : 0)..]));
        Assert.DoesNotContain(_models.Path, reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_EncryptedAndSignedModel_IsServedAndNeverPlainOnTheDisk()
    {
        await MakeKeysAsync();
        await PublishAsync(adds: 3, encrypt: true);
        Assert.Empty(Directory.EnumerateFiles(_models.Path, "*.onnx", SearchOption.AllDirectories));

        await using (var process = await StartAsync())
        {
            using var server = new ReloadServer(process);
            Assert.Equal(3, await server.AddsAsync(Model));
        }

        await using var keyless = await ServerProcess.StartAsync("--models", _models.Path);
        using var without = new ReloadServer(keyless);
        Assert.Contains("started without --model-key-file", (await without.RowAsync(Model, 1)).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, "--require-signed-models is 'true', expected nothing without --model-keys", "--require-signed-models")]
    [InlineData(1, "--model-keys is '/nonexistent', expected a PEM file of ECDSA P-256 public keys that can be read", "--model-keys", "/nonexistent")]
    [InlineData(1, "--model-key-file is '/dev/zero', expected a file of keys of 32 bytes", "--model-key-file", "/dev/zero")]
    public async Task Start_KeysThatAreNone_SaysWhichOption(int code, string says, params string[] arguments)
    {
        var (ended, output) = await ServerProcess.RunToEndAsync(["--models", _models.Path, .. arguments]);

        Assert.True(ended == code, $"{ended}: {output}");
        Assert.Contains(says, output, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _models.Dispose();
        _work.Delete(recursive: true);
    }

    private static async Task RunAsync(params string[] arguments)
    {
        var (code, output) = await ServerProcess.RunToEndAsync(arguments);
        Assert.True(code == 0, $"{code}: {output}");
    }

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(
        "--models", _models.Path, "--poll-seconds", "0.2", "--require-signed-models", "--model-keys", KeyPath("model-sign.pub.pem"), "--model-key-file", KeyPath("model-encrypt.key"));

    private async Task MakeKeysAsync()
    {
        await RunAsync("keygen", "sign", "--out", _work.FullName);
        await RunAsync("keygen", "encrypt", "--out", _work.FullName);
    }

    /// <summary>The model's folder becomes one that is signed, and then perhaps damaged. A link is put in place of the former one, as blue/green deployments do.</summary>
    private async Task PublishAsync(int adds, Action<string>? damage = null, bool encrypt = false)
    {
        var release = Path.Combine(".releases", $"{Guid.NewGuid():N}", Model);
        var folder = Path.Combine(_models.Path, release);
        Directory.CreateDirectory(Path.Combine(folder, "1"));
        File.Copy(RepositoryChanges.ContentOf(adds), Path.Combine(folder, "1", "model.onnx"));
        if (encrypt)
        {
            await RunAsync("encrypt", "--key", KeyPath("model-encrypt.key"), folder);
        }

        await RunAsync("sign", "--key", KeyPath("model-sign.key.pem"), folder);
        damage?.Invoke(folder);
        var link = Path.Combine(_models.Path, ".next");
        File.CreateSymbolicLink(link, release);
        await Command.RunAsync("mv", ["--no-target-directory", link, ModelPath]);
    }
}
