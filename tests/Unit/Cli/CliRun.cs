using System.Text;
using Cluster.Cli;

namespace Cluster.Unit.Cli;

/// <summary>One run of the command line in this process, and what it wrote.</summary>
internal sealed record CliRun(int ExitCode, string Output, string Error)
{
    /// <param name="variables">The environment; nothing of this process' own is seen.</param>
    /// <param name="change">What is to be otherwise than in a process without a terminal.</param>
    public static async Task<CliRun> RunAsync(IReadOnlyDictionary<string, string> variables, string input, IReadOnlyList<string> arguments, Func<Surroundings, Surroundings> change, CancellationToken cancellationToken)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        using var standardInput = new MemoryStream(Encoding.UTF8.GetBytes(input));
        var surroundings = new Surroundings(output, error, standardInput, name => variables.GetValueOrDefault(name), TimeProvider.System, Width: null);
        var code = await CommandLine.RunAsync(arguments, change(surroundings), cancellationToken);
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>Without a terminal.</summary>
    public static Task<CliRun> RunAsync(IReadOnlyDictionary<string, string> variables, string input, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) =>
        RunAsync(variables, input, arguments, static process => process, cancellationToken);

    /// <summary>Without variables and input.</summary>
    public static Task<CliRun> RunAsync(params string[] arguments) => RunAsync(new Dictionary<string, string>(), "", arguments);
}
