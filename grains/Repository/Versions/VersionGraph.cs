using Cluster.Grains.Trust;

namespace Cluster.Grains.Repository.Versions;

/// <summary>Which of a version's files is the graph to load: <c>model.onnx</c>, its encrypted form, or the only one of either ending.</summary>
internal static class VersionGraph
{
    private const string Graph = ".onnx";
    private const string Default = "model" + Graph;
    private const string Encrypted = Default + EncryptedHeader.Ending;
    private const int MaxNamesInProblem = 5;

    /// <param name="names">Of all its files, relative to the version's folder.</param>
    /// <param name="label">What to call the folder in a problem.</param>
    /// <returns>One of the two.</returns>
    public static (string? Name, string? Problem) Choose(IReadOnlyCollection<string> names, string label)
    {
        if (names.Contains(Default) && names.Contains(Encrypted))
        {
            return (null, $"'{label}' has both '{Default}' and '{Encrypted}'");
        }

        var graphs = names.Where(IsGraph).ToList();
        var chosen = graphs.Contains(Default) ? Default : graphs.Contains(Encrypted) ? Encrypted : graphs.Count == 1 ? graphs[0] : null;
        if (chosen is not null)
        {
            return (chosen, null);
        }

        var more = graphs.Count > MaxNamesInProblem ? ", …" : "";
        var shown = string.Join(", ", graphs.Take(MaxNamesInProblem).Select(static name => $"'{name}'"));
        return (null, graphs.Count == 0
            ? $"there is no .onnx file in '{label}'"
            : $"'{label}' has several .onnx files and none is called 'model.onnx': {shown}{more}");
    }

    private static bool IsGraph(string name) => (name.EndsWith(Graph, StringComparison.Ordinal) || name.EndsWith(Graph + EncryptedHeader.Ending, StringComparison.Ordinal)) && !name.Contains('/');
}
