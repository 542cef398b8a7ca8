namespace Cluster.Gateway.Security.Policy;

/// <summary>Names of models: exact, letter case included, but for <c>*</c>, which is any number of letters. A <c>?</c> or <c>\</c> is itself.</summary>
internal sealed class NamePattern
{
    private readonly string _text;
    private readonly string[] _parts;

    public NamePattern(string text)
    {
        _text = text;
        _parts = text.Split('*');
    }

    /// <summary>Whether every name matches.</summary>
    public bool IsAll => _text.AsSpan().Trim('*').IsEmpty && _text.Length > 0;

    public bool Matches(string name)
    {
        if (_parts.Length == 1)
        {
            return name == _text;
        }

        var rest = name.AsSpan();
        if (!rest.StartsWith(_parts[0], StringComparison.Ordinal))
        {
            return false;
        }

        rest = rest[_parts[0].Length..];
        foreach (var part in _parts.AsSpan(1, _parts.Length - 2))
        {
            // The first place is the best one: it leaves the most to the parts that follow.
            var at = rest.IndexOf(part, StringComparison.Ordinal);
            if (at < 0)
            {
                return false;
            }

            rest = rest[(at + part.Length)..];
        }

        return rest.EndsWith(_parts[^1], StringComparison.Ordinal);
    }

    public override string ToString() => _text;
}
