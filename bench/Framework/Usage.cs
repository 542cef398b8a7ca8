namespace Cluster.Bench.Framework;

/// <summary>The texts of <c>bench/run list</c> and of usage errors.</summary>
internal static class Usage
{
    public static void Write(TextWriter writer)
    {
        writer.WriteLine("usage: bench/run list");
        writer.WriteLine("       bench/run NAME [--option VALUE ...]");
        writer.WriteLine();
        foreach (var benchmark in Catalog.All)
        {
            writer.WriteLine($"{benchmark.Name}: {benchmark.Summary}");
            foreach (var option in benchmark.Options)
            {
                writer.WriteLine($"  {$"--{option.Name} {option.Value}",-24} {option.Summary}");
            }
        }
    }
}
