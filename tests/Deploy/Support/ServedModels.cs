using Cluster.Tests.Common;

namespace Cluster.Deploy.Support;

/// <summary>The model folder that the containers get: the demo models, those beside the checkout, and some that answer with a number.</summary>
internal static class ServedModels
{
    /// <summary>A model that has a copy on every silo, up to five, while it is in use.</summary>
    public const string Everywhere = "everywhere";

    private const int Numbered = 8;
    private const float EverywhereNumber = 100;

    /// <summary>Larger models beside the checkout, where they are.</summary>
    public static IReadOnlyList<string> Shared { get; } = ["mnist", "light_squeezenet", "light_resnet50"];

    /// <summary>What a load asks: models with one replica as long as they are asked for a little, and one that is everywhere.</summary>
    public static IReadOnlyList<LoadTarget> Targets { get; } =
        [.. Enumerable.Range(1, Numbered).Select(static number => new LoadTarget($"number-{number}", [number])), new LoadTarget(Everywhere, EverywhereNumber)];

    public static void Fill(string folder)
    {
        foreach (var source in Directory.EnumerateDirectories(TestPaths.DemoModels).Where(static source => Directory.Exists(Path.Combine(source, "1"))))
        {
            foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            {
                Put(Path.Combine(folder, Path.GetRelativePath(TestPaths.DemoModels, file)), File.ReadAllBytes(file));
            }
        }

        foreach (var name in TestPaths.SharedModels is null ? [] : Shared)
        {
            Put(Path.Combine(folder, name, "1", "model.onnx"), File.ReadAllBytes(Path.Combine(TestPaths.SharedModels!, name + ".onnx")));
        }

        foreach (var target in Targets)
        {
            Put(Path.Combine(folder, target.Model, "1", "model.onnx"), OnnxModels.Small(target.Numbers[0]));
        }

        Put(Path.Combine(folder, Everywhere, "model.json"), """{"min_copies": 5, "max_copies": 5}"""u8.ToArray());
    }

    private static void Put(string path, byte[] content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
    }
}
