using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class RegisteredModelReaderTests : IDisposable
{
    private readonly TempFolder _outside = new();
    private readonly TempFolder _root = new();
    private readonly RegisteredModelReader _reader;

    public RegisteredModelReaderTests() => _reader = new RegisteredModelReader(new RegistryOptions { Root = _root.Path }, FixedClock.Late);

    public void Dispose()
    {
        _reader.Dispose();
        _root.Dispose();
        _outside.Dispose();
    }

    [Fact]
    public async Task Read_FolderWithVersions_HasThem()
    {
        _root.Write("m/1/model.onnx", "one");
        _root.Write("m/3/other.onnx", "three");

        var registration = await ReadAsync("m");

        Assert.Null(registration.Problem);
        Assert.Equal(RegistrationOrigin.Registered, registration.Origin);
        Assert.Equal("name", registration.Name);
        Assert.Equal([(1, _root["m/1/model.onnx"]), (3, _root["m/3/other.onnx"])], registration.Versions.Select(version => (version.Version, version.Path)));
    }

    [Theory]
    [InlineData("deep/er")]
    [InlineData("./deep//er/")]
    [InlineData("deep/er/model.onnx")]
    public async Task Read_FolderWithTheFileOrTheFile_IsVersionOne(string path)
    {
        _root.Write("deep/er/model.onnx", "content");

        var version = Assert.Single((await ReadAsync(path)).Versions);

        Assert.Equal((1, _root["deep/er/model.onnx"], null), (version.Version, version.Path, version.Problem));
        Assert.NotEmpty(version.Revision);
    }

    [Theory]
    [InlineData("", 3)]
    [InlineData("{\"queue_limit\":7}", 0)]
    public async Task Read_Key_ReplacesTheModelJsonBesideTheFiles(string key, int concurrency)
    {
        _root.Write("m/1/model.onnx", "x");
        _root.Write("m/model.json", "{\"concurrency\":3}");

        var registration = await ReadAsync("m", key);

        Assert.Equal(concurrency, registration.Settings.Concurrency);
        Assert.Equal(key.Length > 0 ? 7 : null, registration.Settings.QueueLimit);
    }

    [Theory]
    [InlineData("nowhere", "there is no 'nowhere'")]
    [InlineData("m/1/model.onnx/deeper", "there is no 'm/1/model.onnx/deeper'")]
    [InlineData(".", "there is no '.'")]
    [InlineData("notes.txt", "'notes.txt' is neither a .onnx file nor a folder")]
    [InlineData("hollow", "there is no .onnx file in 'hollow'")]
    [InlineData("away/model.onnx", "'away' is a link that leads out of the repository")]
    [InlineData("away.onnx", "'away.onnx' is a link that leads out of the repository")]
    [InlineData("leaky", "'leaky/data' is a link that leads out of the repository")]
    [InlineData("leaky/model.onnx", "'leaky/data' is a link that leads out of the repository")]
    public async Task Read_WhatCannotBeLoaded_IsItsProblem(string path, string problem)
    {
        _root.Write("m/1/model.onnx", "x");
        _root.Write("notes.txt", "x");
        _root.MakeFolder("hollow");
        _outside.Write("model.onnx", "secret");
        _root.Link("away", _outside.Path);
        _root.Link("away.onnx", _outside["model.onnx"]);
        _root.Write("leaky/model.onnx", "x");
        _root.Link("leaky/data", _outside["model.onnx"]);

        var registration = await ReadAsync(path);

        Assert.Contains(problem, registration.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(_outside.Path, registration.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(_root.Path, registration.Problem, StringComparison.Ordinal);
        Assert.DoesNotContain(registration.Versions, version => version.Path.Length > 0);
    }

    [Fact]
    public async Task Read_LinkThatStaysInside_IsFollowed()
    {
        _root.Write("blue/model.onnx", "x");
        _root.Link("current", "blue");

        var registration = await ReadAsync("current/model.onnx");

        Assert.Equal(_root["blue/model.onnx"], Assert.Single(registration.Versions).Path);
    }

    private Task<ModelRegistration> ReadAsync(string path, string key = "") => _reader.ReadAsync("name", new RegisteredInfo("onnx", path, key));
}
