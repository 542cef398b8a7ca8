using System.Security.Cryptography;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Trust;
using Cluster.Silo.Trust;
using Cluster.Unit.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Trust;

public sealed class SignedModelTests : IDisposable
{
    private readonly TrustBench _bench = new();

    public SignedModelTests()
    {
        _bench.AddExternal("m", 1, 1, 2);
        _bench.AddExternal("m", 2, 3, 4);
        _bench.Write("m/1/labels.txt", "one\ntwo\n");
        _bench.Write("m/1/notes/readme.md", "text");
        _bench.Write("m/model.json", """{ "version_policy": { "all": {} }, "concurrency": 3 }""");
    }

    [Fact]
    public void Read_SignedVersion_GivesItsFiles()
    {
        _bench.Sign("m");

        using var content = _bench.Read("m");

        Assert.Equal(File.ReadAllBytes(_bench["m/1/model.onnx"]), content.Graph!.Bytes.ToArray());
        Assert.Equal([1f, 2f], System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(content.External["w.bin"].Bytes).ToArray());
        Assert.Equal(["one", "two"], Assert.IsType<string[]>(content.Labels("labels.txt")));
        Assert.Null(content.Labels("notes/readme.md"));
    }

    [Theory]
    [InlineData("manifest.json", "it has no manifest.json, which --require-signed-models wants")]
    [InlineData("manifest.sig", "it has no manifest.sig, which --require-signed-models wants")]
    [InlineData("w.bin", "file 'w.bin' is missing, which manifest.json lists")]
    [InlineData("notes/readme.md", "file 'notes/readme.md' is missing, which manifest.json lists")]
    public void Read_FileIsGone_IsRefused(string file, string expected)
    {
        _bench.Sign("m");
        File.Delete(_bench[$"m/1/{file}"]);

        Assert.Equal(expected, _bench.Refuse("m"));
    }

    [Fact]
    public void Read_BitFlipInEachFile_IsRefused()
    {
        _bench.Sign("m");
        foreach (var file in new[] { "model.onnx", "w.bin", "labels.txt", "notes/readme.md", "manifest.json" })
        {
            var expected = file == "manifest.json" ? "manifest.json is not what was signed: its signature is wrong" : $"file '{file}' is not the one that was signed";
            var length = (int)new FileInfo(_bench[$"m/1/{file}"]).Length;
            foreach (var at in new[] { 0, length / 2, length - 1 })
            {
                _bench.Flip($"m/1/{file}", at);
                Assert.Equal(expected, _bench.Refuse("m"));
                _bench.Flip($"m/1/{file}", at);
            }
        }

        _bench.Read("m").Dispose();
    }

    /// <summary>A flip may be another signature, another key, no base64 or no JSON: a refusal, but for the last digit of base64, of which some bits say nothing.</summary>
    [Fact]
    public void Read_BitFlipAnywhereInTheSignature_IsRefused()
    {
        _bench.Sign("m");
        var length = (int)new FileInfo(_bench["m/1/manifest.sig"]).Length;
        var refused = 0;
        for (var at = 0; at < length; at++)
        {
            var (before, bytes) = (Signature(), File.ReadAllBytes(_bench["m/1/manifest.sig"]));
            _bench.Flip("m/1/manifest.sig", at);
            if (Signature() != before)
            {
                Assert.Contains("manifest", _bench.Refuse("m"), StringComparison.Ordinal);
                refused++;
            }

            File.WriteAllBytes(_bench["m/1/manifest.sig"], bytes);
        }

        Assert.InRange(refused, length - 1, length);

        (string Key, string Value)? Signature() =>
            ManifestSignature.Read(File.ReadAllBytes(_bench["m/1/manifest.sig"]), new JsonErrors()) is { } read ? (read.KeyId, Convert.ToBase64String(read.Value)) : null;
    }

    [Fact]
    public void Read_FileThatIsNotListed_IsRefused()
    {
        _bench.Sign("m");
        _bench.Write("m/1/extra.bin", "x");

        Assert.Equal("file 'extra.bin' was not signed: manifest.json does not list it", _bench.Refuse("m"));
    }

    [Fact]
    public void Read_FilesOfAnotherVersion_AreRefused()
    {
        _bench.Sign("m");
        File.Copy(_bench["m/2/w.bin"], _bench["m/1/w.bin"], overwrite: true);
        Assert.Equal("file 'w.bin' is not the one that was signed", _bench.Refuse("m"));

        foreach (var file in new[] { "manifest.json", "manifest.sig" })
        {
            File.Copy(_bench[$"m/2/{file}"], _bench[$"m/1/{file}"], overwrite: true);
        }

        Assert.Equal("manifest.json is of model 'm' version 2", _bench.Refuse("m"));
    }

    [Fact]
    public void Read_ManifestOfAnotherModel_IsRefused()
    {
        _bench.Sign("m");
        Directory.Move(_bench["m"], _bench["other"]);

        Assert.Equal("manifest.json is of model 'm' version 1", _bench.Refuse("other"));
    }

    [Fact]
    public void Read_KeyThatIsNotConfigured_IsRefused()
    {
        _ = KeyMaker.Make("sign", _bench["../others"]).ToList();
        _ = ModelSigner.Sign(_bench["m"], null, _bench[$"../others/{KeyMaker.SigningKey}"], replace: false, TimeProvider.System).ToList();

        Assert.Matches("^manifest.json is signed by the key '[0-9a-f]{16}', which is none of --model-keys$", _bench.Refuse("m"));
    }

    [Fact]
    public void Read_KeysFileChanges_CountsFromTheNextReadOn()
    {
        _bench.Sign("m");
        var (file, spec, reader) = (_bench.Options.Keys!, _bench.Spec("m"), _bench.NewReader());
        var own = File.ReadAllText(file);
        _ = KeyMaker.Make("sign", _bench["../others"]).ToList();
        var others = File.ReadAllText(_bench[$"../others/{KeyMaker.SigningPublicKey}"]);

        File.WriteAllText(file, others + own);
        reader.Read("m", spec, CancellationToken.None).Dispose();
        File.WriteAllText(file, others);
        Assert.Throws<ServingException>(() => reader.Read("m", spec, CancellationToken.None));
        File.WriteAllText(file, own);
        reader.Read("m", spec, CancellationToken.None).Dispose();

        // What cannot be read leaves the last keys in force.
        File.WriteAllText(file, "none");
        reader.Read("m", spec, CancellationToken.None).Dispose();
    }

    [Fact]
    public void Read_SettingsThatWereNotSigned_AreRefused()
    {
        const string refused = "its settings are not those that were signed: model.json, or the key of its registration, says something else";
        _bench.Sign("m");

        // White space and order mean nothing.
        _bench.Write("m/model.json", """{"concurrency":3,"version_policy":{"all":{}}}""");
        _bench.Read("m").Dispose();
        _bench.Write("m/model.json", """{ "version_policy": { "all": {} }, "concurrency": 4 }""");
        Assert.Equal(refused, _bench.Refuse("m"));
        _bench.Write("m/model.json", """{ "version_policy": { "latest": { "num_versions": 9 } }, "concurrency": 3 }""");
        Assert.Equal(refused, _bench.Refuse("m"));
        File.Delete(_bench["m/model.json"]);
        Assert.Equal(refused, _bench.Refuse("m"));
        _bench.Sign("m", replace: true);
        _bench.Read("m").Dispose();
    }

    [Fact]
    public void Read_SettingsOfAConfigurationFile_AreTheOperators()
    {
        File.Delete(_bench["m/model.json"]);
        _bench.Sign("m", name: "served");
        var config = _bench["config.json"];
        File.WriteAllText(config, $$$"""{"model_config_list":[{"config":{"name":"served","base_path":"{{{_bench["m"]}}}","nireq":7}}]}""");
        var repository = new FileModelRepository(new RepositoryOptions { Config = config }, NullLogger<FileModelRepository>.Instance, FixedClock.Late);
        var registration = repository.Scan().Models["served"];

        _bench.Read("served", new ReplicaSpec(registration.Versions[0], registration.Settings, registration.VersionPolicy)).Dispose();
        Assert.Equal(7, registration.Settings.Concurrency);
    }

    [Fact]
    public async Task Read_RegisteredModels_AreHeldToTheSame()
    {
        _bench.Sign("m", name: "registered");
        using var reader = new RegisteredModelReader(new RegistryOptions { Root = _bench.Models }, FixedClock.Late);
        async Task<ReplicaSpec> RegisterAsync(string path, string key = "")
        {
            var registration = await reader.ReadAsync("registered", new RegisteredInfo("", path, key));
            return new ReplicaSpec(registration.Versions[0], registration.Settings, registration.VersionPolicy);
        }

        _bench.Read("registered", await RegisterAsync("m")).Dispose();
        Assert.Equal("manifest.json is of model 'registered' version 1", _bench.Refuse("another", await RegisterAsync("m")));
        Assert.StartsWith("its settings are not those that were signed", _bench.Refuse("registered", await RegisterAsync("m", """{"concurrency":5}""")), StringComparison.Ordinal);
        Assert.StartsWith("a model that is a single file has no signature", _bench.Refuse("registered", await RegisterAsync("m/1/model.onnx")), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_KeysWithoutTheRequirement_ChecksWhatIsSigned()
    {
        _bench.Options = new ModelTrustOptions { Keys = _bench.Options.Keys };
        _bench.Read("m").Dispose();
        _bench.Sign("m");
        _bench.Read("m").Dispose();

        _bench.Flip("m/1/w.bin", 0);
        Assert.Equal("file 'w.bin' is not the one that was signed", _bench.Refuse("m"));
        File.Delete(_bench["m/1/manifest.sig"]);
        Assert.Equal("it has no manifest.sig, but its other half", _bench.Refuse("m"));
        _bench.Options = new ModelTrustOptions();
        _bench.Read("m").Dispose();
    }

    /// <summary>The file is another one each time that it is opened: what counts is the bytes that are loaded.</summary>
    [Fact]
    public void Read_FileSwappedAfterItsHash_IsRefused()
    {
        _bench.Sign("m");
        var spec = _bench.Spec("m");
        var evil = _bench["../evil.bin"];
        File.WriteAllBytes(evil, new byte[8]);
        Microsoft.Win32.SafeHandles.SafeFileHandle Open(string path) => CheckedFile.Open(path.EndsWith("w.bin", StringComparison.Ordinal) ? evil : path);

        Assert.Equal("file 'w.bin' is not the one that was signed", _bench.Refuse("m", spec, Open));
        _bench.Options = new ModelTrustOptions();
        Assert.Contains("SHA-256", _bench.Refuse("m", spec, Open), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"format":1,"model":"m","version":1,"signed_at":"2026-01-31T12:00:00Z","files":[]}""", "file 'labels.txt' was not signed: manifest.json does not list it")]
    [InlineData("""{"format":2,"model":"m","version":1,"signed_at":"2026-01-31T12:00:00Z","files":[]}""", "manifest.json: line 1: 'format' is 2; expected an integer from 1 to 1; line 1: 'format' is missing")]
    [InlineData("""{"format":1,"model":"m","version":1,"signed_at":"yesterday","files":[{"name":"a"}]}""", "'signed_at' is \"yesterday\"; expected a time such as")]
    [InlineData("[]", "manifest.json: line 1: 'the file' is an array; expected an object")]
    [InlineData("{", "manifest.json: line 1: not valid JSON")]
    public void Read_SignedManifestThatIsWrong_SaysWhat(string text, string expected)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(_bench.KeyPath(KeyMaker.SigningKey)));
        var manifest = System.Text.Encoding.UTF8.GetBytes(text);
        _bench.Write("m/1/manifest.json", manifest);
        _bench.Write("m/1/manifest.sig", ManifestSignature.Sign(key, manifest).ToBytes());

        Assert.Contains(expected, _bench.Refuse("m"), StringComparison.Ordinal);
    }

    public void Dispose() => _bench.Dispose();
}
