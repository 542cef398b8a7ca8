using Xunit;

namespace Cluster.Tests.Common;

/// <summary>Skips a test, with the reason in words, where the machine lacks what it needs.</summary>
public static class Requires
{
    public static bool HasNode { get; } = Has("node") && Has("npm");

    public static bool HasRedis { get; } = Has("redis-server");

    public static void Redis() => Assert.SkipUnless(HasRedis, "redis-server is not installed (Debian package redis-server)");

    public static void Promtool() => Assert.SkipUnless(Has("promtool"), "promtool is not installed (Debian package prometheus)");

    public static void Python() => Assert.SkipUnless(Has("python3"), "python3 is not installed");

    public static void Kubectl() => Assert.SkipUnless(Has("kubectl"), "kubectl is not installed (Kubernetes' client, 1.27 or later)");

    /// <param name="missing">What the machine lacks; null where it lacks nothing.</param>
    public static void NoLack(string? missing) => Assert.SkipWhen(missing is not null, missing ?? "");

    public static void Node() => Assert.SkipUnless(HasNode, "node or npm is not installed (Node.js 20 or later)");

    /// <summary>The models that are not part of the checkout; their folder.</summary>
    public static string SharedModels()
    {
        Assert.SkipUnless(TestPaths.SharedModels is not null, "the folder ../shared/models beside the checkout is missing");
        return TestPaths.SharedModels!;
    }

    private static bool Has(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
