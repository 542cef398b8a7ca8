using System.Collections.Concurrent;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
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

/// <summary>Credentials out of files. They are read again when they are a second old, so a change of the files counts from then on. Safe from any thread.</summary>
internal sealed class FileCredentials(StorageCredentials files, TimeProvider time) : AWSCredentials
{
    private const string DefaultProfile = "default";
    private static readonly TimeSpan Age = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private ImmutableCredentials? _known;
    private long _readAt;

    /// <exception cref="AmazonClientException">The files have no credentials that can be read.</exception>
    public override ImmutableCredentials GetCredentials()
    {
        lock (_lock)
        {
            if (_known is null || time.GetElapsedTime(_readAt) > Age)
            {
                _known = Read();
                _readAt = time.GetTimestamp();
            }

            return _known;
        }
    }

    private ImmutableCredentials Read()
    {
        try
        {
            if (files.AccessKeyFile is { } access)
            {
                return new ImmutableCredentials(File.ReadAllText(access).Trim(), File.ReadAllText(files.SecretKeyFile!).Trim(), null);
            }

            if (new SharedCredentialsFile(files.SharedFile).TryGetProfile(files.Profile ?? DefaultProfile, out var profile)
                && profile.Options is { AccessKey: not null, SecretKey: not null } keys)
            {
                return new ImmutableCredentials(keys.AccessKey, keys.SecretKey, keys.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new AmazonClientException("the files of credentials cannot be read", exception);
        }

        throw new AmazonClientException("the file of credentials has no such profile with keys");
    }
}
