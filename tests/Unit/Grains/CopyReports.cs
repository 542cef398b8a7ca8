using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Models;

namespace Cluster.Unit.Grains;

/// <summary>What copies of version 1 of model <c>m</c> report, and a model grain that knows of them.</summary>
internal static class CopyReports
{
    /// <summary>Of a model with nothing special.</summary>
    public static ModelDescription Description { get; } = new()
    {
        Name = "m",
        Version = 1,
        Inputs = [],
        Outputs = [],
        ExecutionProvider = ExecutionProvider.Cpu,
        Concurrency = 1,
        IntraOpThreads = 1,
        QueueLimit = 1,
        VersionPolicy = VersionPolicy.LatestOne,
        FileName = "model.onnx",
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Properties = ImmutableSortedDictionary<string, string>.Empty,
    };

    /// <summary>Copies that serve, of content <c>r</c> with settings <c>s</c>.</summary>
    public static ModelGrainState Serving(params int[] copies) => new()
    {
        Loaded = ImmutableSortedDictionary<long, LoadedVersion>.Empty.Add(1, new LoadedVersion([.. copies], "r", "s")),
    };

    public static CopyReport Of(int copy, long epoch, bool inMemory, string silo = "127.0.0.1:1@1") => new()
    {
        Copy = new ModelCopyId("m", 1, copy),
        Silo = silo,
        Epoch = epoch,
        InMemory = inMemory,
        Revision = "r",
        SettingsRevision = "s",
        Description = Description,
    };
}
