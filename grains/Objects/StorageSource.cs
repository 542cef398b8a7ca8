namespace Cluster.Grains.Objects;

/// <summary>A store and what may be read of it. Nothing outside of <see cref="Root"/> is asked for.</summary>
/// <param name="Name">As the storage key of ModelMesh's registrations names it; empty for the options' own.</param>
/// <param name="Root">The bucket, and the prefix in it, that alone is read.</param>
/// <param name="Endpoint">Null for Amazon's own of the region.</param>
/// <param name="Region">What requests are signed for.</param>
/// <param name="PathStyle">Whether the bucket stands in the path, not in the host's name.</param>
/// <param name="Credentials">Where they are.</param>
internal sealed record StorageSource(string Name, ObjectAddress Root, Uri? Endpoint, string Region, bool PathStyle, StorageCredentials Credentials);

/// <summary>Files with credentials; all null takes the standard chain: environment, shared file, container and instance role.</summary>
/// <param name="AccessKeyFile">A file with the id of an access key.</param>
/// <param name="SecretKeyFile">A file with its secret.</param>
/// <param name="SharedFile">A file in the form of <c>~/.aws/credentials</c>.</param>
/// <param name="Profile">The profile in <paramref name="SharedFile"/>; null for <c>default</c>.</param>
internal sealed record StorageCredentials(string? AccessKeyFile, string? SecretKeyFile, string? SharedFile, string? Profile)
{
    public static StorageCredentials Chain { get; } = new(null, null, null, null);
}
