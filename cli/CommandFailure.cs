namespace Cluster.Cli;

/// <summary>How a command ended, as the process tells it.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int NotReachable = 2;
    public const int Usage = 64;
}

/// <summary>The failure of a command. The message is for its user.</summary>
internal sealed class CommandFailure(int exitCode, string message, Exception? inner = null) : Exception(message, inner)
{
    public int ExitCode { get; } = exitCode;

    public static CommandFailure Usage(string message, Exception? inner = null) => new(ExitCodes.Usage, message, inner);

    public static CommandFailure Failed(string message, Exception? inner = null) => new(ExitCodes.Failed, message, inner);

    public static CommandFailure NotReachable(string message, Exception? inner = null) => new(ExitCodes.NotReachable, message, inner);

    /// <summary>The same failure with a longer message.</summary>
    public CommandFailure Because(string longer) => new(ExitCode, longer, this);
}
