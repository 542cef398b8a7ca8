using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>A message whose frame is here and whose payloads come in chunks.</summary>
/// <param name="segments">All of them.</param>
/// <param name="complete">What to do when the last byte is there.</param>
/// <param name="abandon">What to do if it never comes.</param>
internal sealed class PartialMessage(IncomingSegments segments, Action complete, Action abandon)
{
    private int _segment = Next(segments, 0);
    private int _offset;

    public IncomingSegments Segments { get; } = segments;

    public bool IsComplete => _segment == Segments.Count;

    /// <summary>Where the next bytes go; empty if nobody wants them.</summary>
    /// <exception cref="WireFormatException">They are more than the payload has left.</exception>
    public Memory<byte> Advance(int count)
    {
        var left = IsComplete ? 0 : Segments.Length(_segment) - _offset;
        if (count == 0 || count > left)
        {
            throw new WireFormatException($"a chunk of {count} bytes for a payload that has {left} left");
        }

        var memory = Segments.Memory(_segment);
        var target = memory.IsEmpty ? memory : memory.Slice(_offset, count);
        _offset += count;
        if (_offset == Segments.Length(_segment))
        {
            _segment = Next(Segments, _segment + 1);
            _offset = 0;
        }

        return target;
    }

    public void Complete() => complete();

    public void Abandon() => abandon();

    private static int Next(IncomingSegments segments, int index)
    {
        while (index < segments.Count && (!segments.IsChunked(index) || segments.Length(index) == 0))
        {
            index++;
        }

        return index;
    }
}
