using System.Collections.Concurrent;
using Cluster.Unit.Runtime.Grains;

[assembly: PayloadCodec(typeof(CountedPayload), typeof(CountedPayloadCodec))]

namespace Cluster.Unit.Runtime.Grains;

/// <summary>A payload that knows how many there are of its kind and complains of a second disposal.</summary>
public sealed class CountedPayload : IDisposable
{
    private static readonly ConcurrentDictionary<int, int> Alive = new();
    private static readonly ConcurrentDictionary<int, int> Twice = new();
    private bool _disposed;

    /// <param name="length">Names the kind: each test has lengths of its own.</param>
    public CountedPayload(int length)
    {
        Bytes = new byte[length];
        Alive.AddOrUpdate(length, 1, static (_, count) => count + 1);
    }

    public byte[] Bytes { get; }

    public static int AliveOf(int length) => Alive.GetValueOrDefault(length);

    public static int DisposedTwice(int length) => Twice.GetValueOrDefault(length);

    public void Dispose()
    {
        lock (Bytes)
        {
            if (_disposed)
            {
                Twice.AddOrUpdate(Bytes.Length, 1, static (_, count) => count + 1);
                return;
            }

            _disposed = true;
        }

        Alive.AddOrUpdate(Bytes.Length, 0, static (_, count) => count - 1);
    }
}
