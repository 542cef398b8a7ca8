using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>Progress of a version's download. It is reported at each tenth, and after some seconds of less. Safe from any thread.</summary>
/// <param name="total">Bytes of all files.</param>
/// <param name="present">Bytes that were here before.</param>
/// <param name="tell">Told percentages; null where the version is small.</param>
internal sealed class DownloadProgress(ObjectAddress address, long total, long present, Action<int>? tell, TimeSpan after, TimeProvider time, ILogger logger)
{
    private readonly Lock _lock = new();
    private long _arrived;
    private int _told = (int)(present * 100 / Math.Max(total, 1));
    private long _last = time.GetTimestamp();

    /// <summary>Bytes that this download has read.</summary>
    public long Bytes => Interlocked.Read(ref _arrived);

    public void Arrived(long bytes)
    {
        var arrived = Interlocked.Add(ref _arrived, bytes);
        if (tell is null)
        {
            return;
        }

        var percent = (int)Math.Clamp((present + arrived) * 100 / total, 0, 100);
        lock (_lock)
        {
            if (percent <= _told || (percent / 10 == _told / 10 && time.GetElapsedTime(_last) < after))
            {
                return;
            }

            (_told, _last) = (percent, time.GetTimestamp());
        }

        Log.DownloadGoesOn(logger, address.ToString(), percent);
        tell(percent);
    }
}
