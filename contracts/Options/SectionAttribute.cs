namespace Cluster.Contracts.Options;

/// <summary>The configuration section whose keys are the properties of an options class.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SectionAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>A property that follows from another key, in the process' own section; its section has no key for it.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SetByAttribute(string key) : Attribute
{
    /// <summary>Such as <c>Cluster:Capacity</c>; empty if the program itself sets it.</summary>
    public string Key { get; } = key;
}
