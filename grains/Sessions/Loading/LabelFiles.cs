using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>Class labels by output: the files that the settings name, or <c>labels.txt</c> beside a model with one output.</summary>
internal static class LabelFiles
{
    public const string DefaultFile = "labels.txt";

    /// <summary>Labels by output name; one line is one class, counted from 0.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: a file that is missing, lies elsewhere, or belongs to no output.</exception>
    public static Dictionary<string, string[]> Read(VersionContent content, ModelSettings settings, ModelSignature signature)
    {
        var labels = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (output, file) in settings.Labels)
        {
            if (!signature.OutputNames.Contains(output))
            {
                throw Unloadable($"labels names '{output}', which is no output of the model; its outputs are {string.Join(", ", signature.OutputNames)}");
            }

            labels[output] = content.Labels(file) ?? throw Unloadable($"labels of output '{output}': there is no file '{file}' in the version's folder");
        }

        if (labels.Count == 0 && signature.OutputNames is [var only] && content.Labels(DefaultFile) is { } beside)
        {
            labels[only] = beside;
        }

        return labels;
    }

    private static ServingException Unloadable(string message) => new(Failure.Unavailable(message, LoadFailures.RetryAfter));
}
