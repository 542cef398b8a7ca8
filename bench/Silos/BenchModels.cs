using Cluster.Bench.Clients;
using Cluster.Bench.Overhead;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>The identities of the benchmark <c>overhead</c>, in a repository of their own, with their requests.</summary>
internal sealed class BenchModels : IDisposable
{
    private readonly ModelFolder _folder = new();

    public BenchModels(string root)
    {
        var served = new List<(OverheadModel, InferWorkload)>();
        foreach (var model in OverheadModel.All.Where(static model => model.Identity))
        {
            var file = Path.GetFullPath(Path.Combine(root, model.File));
            _folder.Add(model.Name, file);
            using var runtime = new InProcessRuntime(model, file);
            served.Add((model, runtime.Workload));
        }

        Served = served;
    }

    public string Folder => _folder.Path;

    public IReadOnlyList<(OverheadModel Model, InferWorkload Workload)> Served { get; }

    /// <summary>16 floats each way.</summary>
    public InferWorkload Small => Served[0].Workload;

    public void Dispose() => _folder.Dispose();
}
