using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.OpenVino;

/// <summary>
/// A server on the built-in OpenVINO whose models differ by one option each, and are few: what a run does to its threads must not drown in what else the server does.
/// It takes itself to have a GPU: the library for one is there, and empty.
/// </summary>
public sealed class EffectServer : IAsyncLifetime
{
    /// <summary>Products of matrices in a run: some tenths of a second on one thread.</summary>
    private const int Products = 500;

    private readonly ModelFolder _models = ModelFolder.Create();
    private readonly ModelFolder _libraries = ModelFolder.Create();
    private ServerProcess? _server;

    public ServerProcess Server => _server ?? throw new InvalidOperationException("not started");

    public async ValueTask InitializeAsync()
    {
        if (OpenVinoWheel.Lack is not null)
        {
            return;
        }

        Add("one_thread", OnnxModels.SlowProducts(0, Products), """{"streams": 1, "threads": 1}""");
        Add("two_threads", OnnxModels.SlowProducts(0, Products), """{"streams": 1, "threads": 2}""");
        Add("two_streams", OnnxModels.SlowProducts(0, Products), """{"streams": 2, "threads": 2}""");
        Add("whole", OnnxModels.Determinant(7), """{"allow_cpu_nodes": false}""");
        Add("in_part", OnnxModels.Determinant(7), """{"allow_cpu_nodes": true}""");
        Add("on_gpu", OnnxModels.Small(7), """{"device": "GPU"}""");
        foreach (var library in Directory.EnumerateFiles(await OpenVinoWheel.BuiltInAsync(), "*", SearchOption.AllDirectories))
        {
            File.CreateSymbolicLink(Path.Combine(_libraries.Path, Path.GetFileName(library)), library);
        }

        await File.WriteAllBytesAsync(Path.Combine(_libraries.Path, "libopenvino_intel_gpu_plugin.so"), []);
        _server = await ServerProcess.StartAsync("--models", _models.Path, "--openvino", _libraries.Path);
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _models.Dispose();
        _libraries.Dispose();
    }

    private void Add(string name, byte[] model, string options)
    {
        _models.AddVersion(name, 1, model);
        File.WriteAllText(Path.Combine(_models.Path, name, "model.json"), $$"""{"execution_provider": "openvino", "provider_options": {{options}}}""");
    }
}
