namespace Cluster.Cli;

/// <summary>What the command line has of its process.</summary>
/// <param name="Variable">A variable of the environment; null where it is not set.</param>
/// <param name="Width">Of the terminal; null where the output is none.</param>
public sealed record Surroundings(TextWriter Output, TextWriter Error, Stream Input, Func<string, string?> Variable, TimeProvider Time, int? Width)
{
    /// <summary>A terminal that does not tell its width is written as none.</summary>
    public int? Width { get => field > 0 ? field : null; init; } = Width;

    /// <summary>How long a connection may take, its TLS included.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public static Surroundings OfProcess() => new(
        Console.Out,
        Console.Error,
        Console.OpenStandardInput(),
        Environment.GetEnvironmentVariable,
        TimeProvider.System,
        Console.IsOutputRedirected ? null : Console.WindowWidth);
}
