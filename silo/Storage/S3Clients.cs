using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using Cluster.Grains.Objects;

namespace Cluster.Silo.Storage;

/// <summary>A client for each source, made at its first use. Safe from any thread.</summary>
internal sealed class S3Clients(ObjectStorageOptions options, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<StorageSource, Lazy<AmazonS3Client>> _clients = [];

    public AmazonS3Client Of(StorageSource source) => _clients.GetOrAdd(source, _ => new Lazy<AmazonS3Client>(() => Create(source))).Value;

    public void Dispose()
    {
        foreach (var client in _clients.Values.Where(static client => client.IsValueCreated))
        {
            client.Value.Dispose();
        }
    }

    private AmazonS3Client Create(StorageSource source)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = source.PathStyle,
            MaxErrorRetry = 0,
            Timeout = options.StallTimeout,
            AllowAutoRedirect = false,
            ThrottleRetries = false,

            // Parts of an object have no checksum of their own; the whole one's is compared when all are there.
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (source.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = source.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(source.Region);
        }

        return source.Credentials == StorageCredentials.Chain ? new AmazonS3Client(config) : new AmazonS3Client(new FileCredentials(source.Credentials, time), config);
    }
}
