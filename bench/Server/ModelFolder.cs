namespace Cluster.Bench.Server;

/// <summary>A model repository in a temporary folder that holds only what is measured; deleted on disposal.</summary>
internal sealed class ModelFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-bench-");

    public string Path => _folder.FullName;

    /// <summary>Copies <paramref name="modelFile"/> to <c>NAME/1/model.onnx</c>.</summary>
    public void Add(string name, string modelFile)
    {
        var version = _folder.CreateSubdirectory(System.IO.Path.Combine(name, "1"));
        File.Copy(modelFile, System.IO.Path.Combine(version.FullName, "model.onnx"));
    }

    /// <summary>Writes <c>NAME/1/model.onnx</c>.</summary>
    public void Add(string name, byte[] model)
    {
        var version = _folder.CreateSubdirectory(System.IO.Path.Combine(name, "1"));
        File.WriteAllBytes(System.IO.Path.Combine(version.FullName, "model.onnx"), model);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
