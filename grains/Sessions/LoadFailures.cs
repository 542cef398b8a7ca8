using System.Globalization;

namespace Cluster.Grains.Sessions;

/// <summary>What clients are told about loads that failed.</summary>
internal static class LoadFailures
{
    /// <summary>A failed load is cured by an operator, not by the next second: the hint keeps clients from hammering.</summary>
    public static TimeSpan RetryAfter { get; } = TimeSpan.FromSeconds(10);

    /// <summary>The whole sentence; clients look for its beginning.</summary>
    public static string Message(string model, long version, string cause) => Prefix(model, version) + cause;

    /// <summary>The cause out of a sentence of <see cref="Message"/>, to stand where model and version are named already.</summary>
    public static string Cause(string message, string model, long version)
    {
        var prefix = Prefix(model, version);
        return message.StartsWith(prefix, StringComparison.Ordinal) ? message[prefix.Length..] : message;
    }

    /// <summary>Begins a sentence about a model as a whole; clients look for it too.</summary>
    public static string Prefix(string model) => $"failed to load '{model}': ";

    private static string Prefix(string model, long version) =>
        string.Create(CultureInfo.InvariantCulture, $"failed to load model '{model}' version {version}: ");
}
