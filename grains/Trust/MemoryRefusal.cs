using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Grains.Memory;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Trust;

/// <summary>A file that has no room in memory: now, or ever.</summary>
internal static class MemoryRefusal
{
    public static ServingException Of(long length)
    {
        var limit = OnnxAllocator.Pool.Limit;
        var text = string.Create(CultureInfo.InvariantCulture, $"a file of {length} bytes does not fit in memory beside what is loaded; {limit} bytes may be taken in all");
        return new ServingException(length > limit ? Failure.Unavailable(text, LoadFailures.RetryAfter) : Failure.Exhausted(text, LoadFailures.RetryAfter));
    }
}
