namespace Cluster.Tests.Common;

/// <summary>Puts models made here into folders.</summary>
public static class Folders
{
    /// <summary>Writes version 1 of a model; its folder appears in one step, complete.</summary>
    /// <param name="settings">A model.json; null for none.</param>
    public static ModelFolder Put(this ModelFolder folder, string name, byte[] model, string? settings = null)
    {
        var hidden = Directory.CreateDirectory(Path.Combine(folder.Path, "." + name));
        File.WriteAllBytes(Path.Combine(hidden.CreateSubdirectory("1").FullName, "model.onnx"), model);
        if (settings is not null)
        {
            File.WriteAllText(Path.Combine(hidden.FullName, "model.json"), settings);
        }

        hidden.MoveTo(Path.Combine(folder.Path, name));
        return folder;
    }

    /// <summary>Gives version 1 of a model other content, in one step.</summary>
    public static void Replace(this ModelFolder folder, string name, byte[] model)
    {
        var temporary = Path.Combine(folder.Path, $".{name}.tmp");
        File.WriteAllBytes(temporary, model);
        File.Move(temporary, Path.Combine(folder.Path, name, "1", "model.onnx"), overwrite: true);
    }
}
