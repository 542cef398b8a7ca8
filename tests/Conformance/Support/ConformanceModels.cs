using Cluster.Tests.Common;

namespace Cluster.Conformance.Support;

/// <summary>What the shared server serves: the test models, and copies of some with settings or for tests that count.</summary>
internal static class ConformanceModels
{
    public static void AddTo(ModelFolder models)
    {
        foreach (var source in Directory.EnumerateDirectories(TestPaths.TestModels).Where(static folder => Directory.Exists(Path.Combine(folder, "1"))))
        {
            models.Add(source);
        }

        var hungry = Directory.CreateDirectory(Path.Combine(models.Path, "hungry", "1"));
        File.WriteAllBytes(Path.Combine(hungry.FullName, "model.onnx"), OnnxModels.Hungry(5));
        AddCopy(models, "slow", "slow_queue", """{"concurrency": 1, "queue_limit": 1}""");

        foreach (var name in new[] { "slow_deadline", "slow_running", "slow_cancel", "slow_stats" })
        {
            AddCopy(models, "slow", name, """{"concurrency": 1}""");
        }

        AddCopy(models, "multi", "multi_all", """{"version_policy": {"all": {}}}""");
        AddCopy(models, "multi", "multi_latest2", """{"version_policy": {"latest": {"num_versions": 2}}}""");
        AddCopy(models, "multi", "multi_specific", """{"version_policy": {"specific": {"versions": [1, 3]}}}""");
        AddCopy(models, "batchy", "stats_batchy", """{"concurrency": 1}""");
        AddCopy(models, "add_one", "metrics_add_one");
        AddCopy(models, "add_one", "unloaded");
        AddCopy(models, "add_one", "reloaded");
        AddCopy(models, "add_one", "two words");
        AddCopy(models, "add_one", "ünïcode+50%");
    }

    private static void AddCopy(ModelFolder models, string source, string name, string? settings = null)
    {
        models.Add(Path.Combine(TestPaths.TestModels, source), name);
        if (settings is not null)
        {
            File.WriteAllText(Path.Combine(models.Path, name, "model.json"), settings);
        }
    }
}
