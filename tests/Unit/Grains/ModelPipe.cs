using System.Diagnostics;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>A model's file that is a named pipe: what loads it waits for the test, at a point that the test knows.</summary>
internal sealed class ModelPipe : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-onnx-");

    private ModelPipe()
    {
    }

    public string Path => System.IO.Path.Combine(_folder.FullName, "model.onnx");

    public static async Task<ModelPipe> MakeAsync()
    {
        var pipe = new ModelPipe();
        using var process = Process.Start("mkfifo", [pipe.Path]);
        await process.WaitForExitAsync().Soon();
        Assert.Equal(0, process.ExitCode);
        return pipe;
    }

    /// <summary>Returns once a load reads the file; it waits for what is written to the stream, and for the stream's end.</summary>
    public Task<FileStream> ReadAsync() =>
        Task.Run(() => new FileStream(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)).Soon("the load's beginning");

    public void Dispose() => _folder.Delete(recursive: true);
}
