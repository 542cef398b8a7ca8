using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Sessions;

/// <summary>Class labels by output: the files that the settings name, or <c>labels.txt</c> beside a model with one output.</summary>
internal static class LabelFiles
{
    private const string DefaultFile = "labels.txt";

    /// <summary>Labels by output name; one line is one class, counted from 0.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: a file that is missing, lies elsewhere, or belongs to no output.</exception>
    public static Dictionary<string, string[]> Read(string modelPath, ModelSettings settings, ModelSignature signature)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(modelPath))!;
        var labels = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var (output, file) in settings.Labels)
        {
            if (!signature.OutputNames.Contains(output))
            {
                throw Unloadable($"labels names '{output}', which is no output of the model; its outputs are {string.Join(", ", signature.OutputNames)}");
            }

            if (Path.GetFileName(file) != file || !File.Exists(Path.Combine(folder, file)))
            {
                throw Unloadable($"labels of output '{output}': there is no file '{file}' in the version's folder");
            }

            labels[output] = File.ReadAllLines(Path.Combine(folder, file));
        }

        var beside = Path.Combine(folder, DefaultFile);
        if (labels.Count == 0 && signature.OutputNames is [var only] && File.Exists(beside))
        {
            labels[only] = File.ReadAllLines(beside);
        }

        return labels;
    }

    private static ServingException Unloadable(string message) => new(Failure.Unavailable(message, LoadFailures.RetryAfter));
}
