using System.Collections.Immutable;

namespace Cluster.Unit.Runtime.Grains;

/// <summary>A value of every kind.</summary>
[GenerateSerializer, Alias("test-values")]
public sealed record WireValues
{
    [Id(0)]
    public bool Flag { get; init; }

    [Id(1)]
    public byte Small { get; init; }

    [Id(2)]
    public int Number { get; init; }

    [Id(3)]
    public long Large { get; init; }

    [Id(4)]
    public ulong Unsigned { get; init; }

    [Id(5)]
    public float Single { get; init; }

    [Id(6)]
    public double Double { get; init; }

    [Id(7)]
    public string Text { get; init; } = "";

    [Id(8)]
    public string? Nothing { get; init; }

    [Id(9)]
    public int? Maybe { get; init; }

    [Id(10)]
    public WireColor Color { get; init; }

    [Id(11)]
    public WireColor? MaybeColor { get; init; }

    [Id(12)]
    public TimeSpan Span { get; init; }

    [Id(13)]
    public DateTimeOffset Time { get; init; }

    [Id(14)]
    public Guid Guid { get; init; }

    [Id(15)]
    public byte[] Bytes { get; init; } = [];

    [Id(16)]
    public ImmutableArray<string> Texts { get; init; } = [];

    [Id(17)]
    public ImmutableDictionary<string, WireNode> Nodes { get; init; } = ImmutableDictionary<string, WireNode>.Empty;

    [Id(18)]
    public (string Name, int Count) Pair { get; init; }

    [Id(19)]
    public WireNode? Node { get; init; }

    [Id(20)]
    public ImmutableArray<double?> Gaps { get; init; } = [];
}
