using System.ComponentModel.DataAnnotations;
using System.Net;
using Cluster.Contracts.Options;

namespace Cluster.Grains.Objects;

/// <summary>How a silo reads models from object storage, and how much it keeps on its disk.</summary>
[Section("ObjectStorage")]
public sealed class ObjectStorageOptions : IValidatableObject
{
    /// <summary>A JSON file of storage sources; null, the default, is none.</summary>
    [SetBy("Cluster:Storage")]
    public string? Sources { get; set; }

    /// <summary>Folder that keeps objects; null, the default, is one in the system's temporary folder.</summary>
    [SetBy("Cluster:StorageCache")]
    public string? Cache { get; set; }

    /// <summary>MiB that the folder may take, 1 to 1,073,741,824. Default 20,480. Less reads the store more often. A version that is larger does not load.</summary>
    [Range(1, 1 << 30)]
    public int CacheMiB { get; set; } = 20_480;

    /// <summary>Address of the store of <c>--models s3://…</c> and <c>--registered-models s3://…</c>, such as <c>https://minio.example:9000</c>. Default Amazon's of the region.</summary>
    [Text("an address of https://, or of http:// on loopback")]
    public string? Endpoint { get; set; }

    /// <summary>Region that requests to it are signed for. Default "us-east-1".</summary>
    [RegularExpression("[a-z0-9-]{1,63}", ErrorMessage = "1 to 63 lower-case letters, digits or dashes")]
    public string Region { get; set; } = "us-east-1";

    /// <summary>True: the bucket stands in the path of its addresses, as most stores but Amazon's want it. Default false: in the host's name.</summary>
    public bool PathStyle { get; set; }

    /// <summary>MiB that one request reads of a large object, 1 to 1024. Default 16. Less loses less when a transfer is cut, more makes fewer requests.</summary>
    [Range(1, 1024)]
    public int PartMiB { get; set; } = 16;

    /// <summary>Parts of one object that are read at once, 1 to 64. Default 4. More is faster on long ways.</summary>
    [Range(1, 64)]
    public int PartsPerObject { get; set; } = 4;

    /// <summary>Parts that the silo reads at once, of all objects together, 1 to 256. Default 8. More takes more of the network from requests.</summary>
    [Range(1, 256)]
    public int MaxParts { get; set; } = 8;

    /// <summary>Tries of a request, or of a part since its last progress, 1 to 100. Default 6. Fewer report sooner that the store is away.</summary>
    [Range(1, 100)]
    public int MaxTries { get; set; } = 6;

    /// <summary>
    /// Longest wait before the second try, 1 ms to 1 min. It doubles with each try, and half of it is random. Default 200 ms. Shorter asks a busy store more often.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00")]
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest wait between two tries, 1 ms to 10 min. Default 10 s. Longer spares a busy store, and notices later that it is no longer busy.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:10:00")]
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time without an answer, or without a byte of it, after which a request is tried again. 1 s to 10 min, default 30 s. Shorter gives up slow stores.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether plain HTTP may be spoken beyond loopback. Default false.</summary>
    [SetBy("Cluster:Insecure")]
    public bool Insecure { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint is not null && EndpointOf(Endpoint, Insecure) is null)
        {
            yield return new ValidationResult("an address of https://, without a path; http:// only on loopback, or with --insecure", [nameof(Endpoint)]);
        }

        if (MaxRetryDelay < RetryDelay)
        {
            yield return new ValidationResult("at least RetryDelay", [nameof(MaxRetryDelay), nameof(RetryDelay)]);
        }
    }

    /// <summary>The address, if models may be read from it.</summary>
    internal static Uri? EndpointOf(string text, bool insecure) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && uri.UserInfo.Length == 0 && uri.PathAndQuery == "/" && uri.Fragment.Length == 0
        && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && (insecure || IsLoopback(uri))))
            ? uri
            : null;

    private static bool IsLoopback(Uri uri) => uri.Host == "localhost" || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
