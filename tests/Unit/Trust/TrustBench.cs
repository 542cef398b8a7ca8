using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Versions;
using Cluster.Grains.Trust;
using Cluster.Silo.Trust;
using Cluster.Unit.Repository;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Trust;

/// <summary>A repository of models, keys to sign and encrypt them with, and the reading of versions as a silo does it.</summary>
internal sealed class TrustBench : IDisposable
{
    private readonly TempFolder _folder = new();

    public TrustBench()
    {
        _ = KeyMaker.Make("sign", _folder["keys"]).ToList();
        _ = KeyMaker.Make("encrypt", _folder["keys"]).ToList();
        Options = new ModelTrustOptions { RequireSigned = true, Keys = KeyPath(KeyMaker.SigningPublicKey), KeyFile = KeyPath(KeyMaker.EncryptionKey) };
    }

    public ModelTrustOptions Options { get; set; }

    public string Models => _folder["models"];

    public string KeyPath(string name) => _folder[Path.Combine("keys", name)];

    public string this[string name] => Path.Combine(Models, name);

    /// <summary>A version of a model whose graph adds external data to its input.</summary>
    public void AddExternal(string model, int version = 1, params float[] weights)
    {
        Write($"{model}/{version}/model.onnx", OnnxBytes.Model(OnnxBytes.Part(5, OnnxBytes.External("w", (ulong)weights.Length, ("location", "w.bin"), ("length", $"{weights.Length * sizeof(float)}")))));
        Write($"{model}/{version}/w.bin", System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan()).ToArray());
    }

    public void Write(string name, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(this[name])!);
        File.WriteAllBytes(this[name], content);
    }

    public void Write(string name, string content) => Write(name, System.Text.Encoding.UTF8.GetBytes(content));

    public void Sign(string model, bool replace = false, string? name = null) =>
        Assert.NotEmpty(ModelSigner.Sign(this[model], name, KeyPath(KeyMaker.SigningKey), replace, TimeProvider.System).ToList());

    public void Encrypt(string model, string? name = null, string? key = null) =>
        Assert.NotEmpty(ModelEncryptor.Encrypt(this[model], name, key ?? KeyPath(KeyMaker.EncryptionKey), copy: null).ToList());

    public void Change(string name, Func<byte[], byte[]> change) => File.WriteAllBytes(this[name], change(File.ReadAllBytes(this[name])));

    public void Flip(string name, int at) => Change(name, bytes =>
    {
        bytes[at < 0 ? bytes.Length + at : at] ^= 1;
        return bytes;
    });

    /// <summary>What the silo would load, as its repository has it now.</summary>
    public ReplicaSpec Spec(string model, int version = 1)
    {
        var repository = new FileModelRepository(new RepositoryOptions { Models = Models }, NullLogger<FileModelRepository>.Instance, FixedClock.Late);
        var registration = repository.Scan().Models[model];
        return new ReplicaSpec(registration.Versions.Single(source => source.Version == version), registration.Settings, registration.VersionPolicy);
    }

    public VersionContent Read(string model, int version = 1) => Read(model, Spec(model, version));

    public VersionContent Read(string model, ReplicaSpec spec) => NewReader().Read(model, spec, CancellationToken.None);

    public VersionReader NewReader(OpenModelFile? open = null) =>
        new(Options, new ContentCheck(FixedClock.Late), open ?? CheckedFile.Open, TimeProvider.System, NullLogger<VersionReader>.Instance);

    /// <summary>Why it is not loaded, without paths of this machine.</summary>
    public string Refuse(string model, int version = 1) => Refuse(model, Spec(model, version));

    public string Refuse(string model, ReplicaSpec spec, OpenModelFile? open = null)
    {
        var failure = Assert.Throws<ServingException>(() => NewReader(open).Read(model, spec, CancellationToken.None).Dispose()).Failure;
        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.DoesNotContain(_folder.Path, failure.Message, StringComparison.Ordinal);
        return failure.Message;
    }

    public void Dispose() => _folder.Dispose();
}
