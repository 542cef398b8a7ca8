using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Cluster.Grains.Objects;

namespace Cluster.Silo.Storage;

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
