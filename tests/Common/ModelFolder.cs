namespace Cluster.Tests.Common;

/// <summary>A model repository in a temporary folder, put together for one test and deleted with it.</summary>
public sealed class ModelFolder : IDisposable
{
    private ModelFolder(string path)
    {
        Path = path;
    }

    public string Path { get; }

    public static ModelFolder Create() => new(Directory.CreateTempSubdirectory("cluster-models-").FullName);

    /// <summary>Copies a model with all its versions and settings.</summary>
    /// <param name="source">A model's folder, such as one in <see cref="TestPaths.TestModels"/>.</param>
    /// <param name="name">The name to serve it by; null keeps the folder's.</param>
    public ModelFolder Add(string source, string? name = null)
    {
        var target = System.IO.Path.Combine(Path, name ?? System.IO.Path.GetFileName(source));
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = System.IO.Path.Combine(target, System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        return this;
    }

    /// <summary>Puts a file in as a version of a model, replacing what is there in one step, as a careful operator does.</summary>
    public ModelFolder AddVersion(string name, long version, string onnxFile)
    {
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(Path, name, version.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var temporary = System.IO.Path.Combine(Path, $".{name}-{version}.tmp");
        File.Copy(onnxFile, temporary, overwrite: true);
        File.Move(temporary, System.IO.Path.Combine(folder.FullName, "model.onnx"), overwrite: true);
        return this;
    }

    /// <summary>Writes a file as a version of a model that nothing serves yet.</summary>
    public ModelFolder AddVersion(string name, long version, byte[] onnx)
    {
        var folder = Directory.CreateDirectory(System.IO.Path.Combine(Path, name, version.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        File.WriteAllBytes(System.IO.Path.Combine(folder.FullName, "model.onnx"), onnx);
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
