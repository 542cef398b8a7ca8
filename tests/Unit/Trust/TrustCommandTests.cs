using Cluster.Silo.Options;
using Cluster.Silo.Trust;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Trust;

public sealed class TrustCommandTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public TrustCommandTests() => new[] { "1", "2" }.ToList().ForEach(version =>
    {
        _folder.MakeFolder($"m/{version}");
        File.WriteAllBytes(_folder[$"m/{version}/model.onnx"], OnnxBytes.Model(OnnxBytes.Initializer("w", 1, 2)));
    });

    [Fact]
    public async Task Keygen_Keys_CanBeReadByTheirOwnerAlone()
    {
        Assert.Equal(0, await RunAsync("keygen", "sign", "--out", _folder["keys"]));
        Assert.Equal(0, await RunAsync("keygen", "encrypt", "--out", _folder["keys"]));

        foreach (var secret in new[] { KeyMaker.SigningKey, KeyMaker.EncryptionKey })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(_folder[$"keys/{secret}"]).UnixFileMode);
        }
    }

    [Fact]
    public async Task Keygen_KeyThatIsThere_IsNotOverwritten()
    {
        foreach (var (purpose, file) in new[] { ("sign", KeyMaker.SigningKey), ("sign", KeyMaker.SigningPublicKey), ("encrypt", KeyMaker.EncryptionKey) })
        {
            var keys = $"{purpose}-{file}";
            _folder.Write($"{keys}/{file}", "mine");

            Assert.Equal(1, await RunAsync("keygen", purpose, "--out", _folder[keys]));

            Assert.Equal("mine", await File.ReadAllTextAsync(_folder[$"{keys}/{file}"], TestContext.Current.CancellationToken));
            Assert.Single(Directory.EnumerateFiles(_folder[keys]));
        }
    }

    [Theory]
    [InlineData(64, "keygen")]
    [InlineData(64, "keygen", "other", "--out", "x")]
    [InlineData(64, "sign", "m")]
    [InlineData(64, "sign", "--key", "x")]
    [InlineData(64, "encrypt", "--key", "x", "m", "n")]
    [InlineData(64, "encrypt", "--key", "x", "m", "--nosuch")]
    [InlineData(1, "sign", "--key", "/nonexistent", "/nonexistent")]
    [InlineData(1, "encrypt", "--key", "/nonexistent", "/nonexistent")]
    public async Task Run_WhatCannotBe_HasItsExitCode(int code, params string[] arguments) => Assert.Equal(code, await RunAsync(arguments));

    [Fact]
    public async Task Sign_ThenAgain_NeedsReplace()
    {
        await RunAsync("keygen", "sign", "--out", _folder["keys"]);
        var key = _folder[$"keys/{KeyMaker.SigningKey}"];

        Assert.Equal(0, await RunAsync("sign", "--key", key, _folder["m"]));
        Assert.Equal(1, await RunAsync("sign", "--key", key, _folder["m"]));
        Assert.Equal(0, await RunAsync("sign", "--key", key, _folder["m"], "--replace"));
        Assert.Equal(1, await RunAsync("sign", "--key", _folder[$"keys/{KeyMaker.SigningPublicKey}"], _folder["m"], "--replace"));
        Assert.Equal(["manifest.json", "manifest.sig", "model.onnx"], Directory.EnumerateFiles(_folder["m/2"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Encrypt_IntoACopy_LeavesTheSource()
    {
        await RunAsync("keygen", "encrypt", "--out", _folder["keys"]);
        var key = _folder[$"keys/{KeyMaker.EncryptionKey}"];
        _folder.Write("m/model.json", "{}");
        _folder.Write("m/1/labels.txt", "a");

        Assert.Equal(0, await RunAsync("encrypt", "--key", key, _folder["m"], "--out", _folder["copy"]));
        Assert.Equal(1, await RunAsync("encrypt", "--key", key, _folder["m"], "--out", _folder["copy"]));

        Assert.True(File.Exists(_folder["m/1/model.onnx"]));
        Assert.Equal(
            ["1/labels.txt", "1/model.onnx.enc", "2/model.onnx.enc", "model.json"],
            Directory.EnumerateFiles(_folder["copy/m"], "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(_folder["copy/m"], file)).Order(StringComparer.Ordinal));
        Assert.Equal(0, await RunAsync("encrypt", "--key", key, _folder["m"]));
        Assert.Equal(1, await RunAsync("encrypt", "--key", key, _folder["m"]));
        Assert.False(File.Exists(_folder["m/1/model.onnx"]));
    }

    [Fact]
    public async Task Encrypt_WhatIsSignedOrALink_IsRefused()
    {
        await RunAsync("keygen", "encrypt", "--out", _folder["keys"]);
        await RunAsync("keygen", "sign", "--out", _folder["keys"]);
        var key = _folder[$"keys/{KeyMaker.EncryptionKey}"];
        File.Move(_folder["m/1/model.onnx"], _folder["shared.onnx"]);
        _folder.Link("m/1/model.onnx", "../../shared.onnx");
        Assert.Equal(1, await RunAsync("encrypt", "--key", key, _folder["m"]));
        Assert.Equal(0, await RunAsync("sign", "--key", _folder[$"keys/{KeyMaker.SigningKey}"], _folder["m"]));
        Assert.Equal(1, await RunAsync("encrypt", "--key", key, _folder["m"]));
        Assert.True(File.Exists(_folder["shared.onnx"]));
        Assert.True(File.Exists(_folder["m/2/model.onnx"]));
    }

    public void Dispose() => _folder.Dispose();

    private static Task<int> RunAsync(params string[] arguments) =>
        ServeCommand.InvokeAsync(ServeCommand.Create(NotServedAsync, NotServedAsync).Parse(arguments, ServeCommand.Words));

    private static Task<int> NotServedAsync(GivenOptions given) => throw new InvalidOperationException("the server was asked for");
}
