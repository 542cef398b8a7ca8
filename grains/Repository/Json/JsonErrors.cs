namespace Cluster.Grains.Repository.Json;

/// <summary>Everything that is wrong with one file, so that one attempt shows all of it.</summary>
internal sealed class JsonErrors
{
    private const int MaxShown = 20;

    private readonly List<string> _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(int line, string text) => _errors.Add($"line {line}: {text}");

    /// <summary>A value of another kind than expected.</summary>
    public void Expected(JsonMember member, string expected) => Expected(member.Path, member.Value, expected);

    /// <inheritdoc cref="Expected(JsonMember, string)"/>
    public void Expected(string path, JsonItem value, string expected) => Add(value.Line, $"'{path}' is {value.Found}; expected {expected}");

    public override string ToString() => string.Join("; ", _errors.Take(MaxShown))
        + (_errors.Count > MaxShown ? $"; and {_errors.Count - MaxShown} more" : "");
}
