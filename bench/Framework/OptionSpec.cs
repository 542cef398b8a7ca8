namespace Cluster.Bench.Framework;

/// <summary>One <c>--name VALUE</c> of a benchmark.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Value">What the value stands for, as in the usage text.</param>
/// <param name="Summary">What it does and its default.</param>
internal sealed record OptionSpec(string Name, string Value, string Summary);
