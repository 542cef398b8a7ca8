namespace Cluster.Bench.Runtimes;

/// <summary>Sets variables for the processes that are started meanwhile.</summary>
internal sealed class EnvironmentScope : IDisposable
{
    private readonly IReadOnlyDictionary<string, string> _variables;

    public EnvironmentScope(IReadOnlyDictionary<string, string> variables)
    {
        _variables = variables;
        foreach (var (name, value) in variables)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    public void Dispose()
    {
        foreach (var name in _variables.Keys)
        {
            Environment.SetEnvironmentVariable(name, null);
        }
    }
}
