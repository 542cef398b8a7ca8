namespace Cluster.Bench.Server;

/// <summary>A model repository in a temporary folder that holds only what is measured; deleted on disposal.</summary>
internal sealed class ModelFolder : IDisposable
{
    /// <summary>The name of the model that answers its input.</summary>
    public const string Identity = "identity";

    public const string IdentityFile = "models/identity/1/model.onnx";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-bench-");

    public string Path => _folder.FullName;

    /// <summary>A folder with the model <c>identity</c>.</summary>
    /// <param name="root">The checkout's.</param>
    public static ModelFolder WithIdentity(string root)
    {
        var folder = new ModelFolder();
        folder.Add(Identity, File.ReadAllBytes(System.IO.Path.Combine(root, IdentityFile)));
        return folder;
    }

    /// <summary>Writes <c>NAME/1/model.onnx</c>.</summary>
    /// <param name="settings">Of <c>NAME/model.json</c>; null for none.</param>
    public void Add(string name, byte[] model, string? settings = null)
    {
        var version = _folder.CreateSubdirectory(System.IO.Path.Combine(name, "1"));
        File.WriteAllBytes(System.IO.Path.Combine(version.FullName, "model.onnx"), model);
        if (settings is not null)
        {
            File.WriteAllText(System.IO.Path.Combine(_folder.FullName, name, "model.json"), settings);
        }
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
