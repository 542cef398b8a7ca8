namespace Cluster.Tests.Common;

/// <summary>Where things are in the checkout that the tests were built from.</summary>
public static class TestPaths
{
    /// <summary>The folder of Cluster.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The demo models that the product ships.</summary>
    public static string DemoModels => Path.Combine(Root, "models");

    /// <summary>The tests' own models; its README says what each does.</summary>
    public static string TestModels => Path.Combine(Root, "tests", "models");

    /// <summary>Larger models that some machines have beside the checkout; null where they are missing.</summary>
    public static string? SharedModels
    {
        get
        {
            var path = Path.GetFullPath(Path.Combine(Root, "..", "shared", "models"));
            return Directory.Exists(path) ? path : null;
        }
    }

    /// <summary>Archives of the libraries of OpenVINO that some machines have beside the checkout; null where they are missing.</summary>
    public static string? SharedOpenVino
    {
        get
        {
            var path = Path.GetFullPath(Path.Combine(Root, "..", "shared", "openvino"));
            return Directory.Exists(path) ? path : null;
        }
    }

    private static string FindRoot()
    {
        var folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder, "Cluster.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return folder ?? throw new InvalidOperationException($"no Cluster.sln above {AppContext.BaseDirectory}");
    }
}
