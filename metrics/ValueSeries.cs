using System.Buffers;

namespace Cluster.Metrics;

/// <summary>The number of a counter or gauge for one combination of labels. All members are thread-safe, lock-free and allocate nothing.</summary>
public sealed class ValueSeries : MetricSeries
{
    private readonly byte[] _name;
    private double _value;
    private long _round;

    internal ValueSeries(byte[] name, string key, KeyValuePair<string, object?>[] tags)
        : base(key, tags) => _name = name;

    /// <summary>The number now.</summary>
    public double Value => Volatile.Read(ref _value);

    /// <summary>The collection round that last saw the series; only meaningful for observed instruments.</summary>
    internal long Round => _round;

    /// <summary>Adds 1.</summary>
    public void Increment() => AtomicDouble.Add(ref _value, 1);

    /// <summary>Takes 1 away: gauges only.</summary>
    public void Decrement() => AtomicDouble.Add(ref _value, -1);

    /// <summary>Adds <paramref name="value"/>; negative for gauges only.</summary>
    public void Add(double value) => AtomicDouble.Add(ref _value, value);

    /// <summary>Replaces the number: gauges only.</summary>
    public void Set(double value) => Volatile.Write(ref _value, value);

    /// <summary>Takes over an observed number; what several instruments observe in one round for the same labels adds up. One collector at a time.</summary>
    internal void Observe(double value, long round)
    {
        Set(_round == round ? _value + value : value);
        _round = round;
    }

    internal override void WriteTo(IBufferWriter<byte> output, ExpositionFormat format)
    {
        output.Write(_name);
        if (Labels.Length > 0)
        {
            output.Write("{"u8);
            output.Write(Labels);
            output.Write("}"u8);
        }

        output.Write(" "u8);
        ExpositionText.WriteNumber(output, Value);
        output.Write("\n"u8);
    }
}

/// <summary>What a measurement does to its series.</summary>
internal enum ValueMode
{
    /// <summary>A change: counters and up-down counters.</summary>
    Add,

    /// <summary>The number as it is: gauges.</summary>
    Set,

    /// <summary>The number as a collection round found it: observable instruments.</summary>
    Observe,
}

/// <summary>Adds to a double without a lock. Whole numbers stay exact up to 2^53.</summary>
internal static class AtomicDouble
{
    public static void Add(ref double location, double value)
    {
        var seen = Volatile.Read(ref location);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref location, seen + value, seen);

            // By bits: NaN equals nothing, so comparing values would never end.
            if (BitConverter.DoubleToInt64Bits(found) == BitConverter.DoubleToInt64Bits(seen))
            {
                return;
            }

            seen = found;
        }
    }
}
