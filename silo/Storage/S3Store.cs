using Amazon.S3;
using Amazon.S3.Model;
using Cluster.Grains.Objects;

namespace Cluster.Silo.Storage;

/// <summary>Amazon S3 and what speaks like it. It tries nothing again by itself and logs nothing: its caller does.</summary>
internal sealed class S3Store(S3Clients clients) : IObjectStore
{
    private const int PageSize = 1000;

    public Task<ObjectPage> ListAsync(StorageSource source, ObjectAddress address, string? after, CancellationToken cancellationToken) =>
        S3Failures.TellAsync($"{ObjectAddress.Scheme}{address.Bucket}/{address.Key}", async () =>
        {
            var request = new ListObjectsV2Request { BucketName = address.Bucket, Prefix = address.Key, ContinuationToken = after, MaxKeys = PageSize };
            var page = await clients.Of(source).ListObjectsV2Async(request, cancellationToken).ConfigureAwait(false);
            StoredObject[] objects = [.. (page.S3Objects ?? []).Select(static item => new StoredObject(item.Key, item.Size ?? -1, Plain(item.ETag)))];
            return new ObjectPage(objects, page.IsTruncated == true ? page.NextContinuationToken : null);
        }, cancellationToken);

    public Task<ObjectFacts> DescribeAsync(StorageSource source, ObjectAddress address, string etag, CancellationToken cancellationToken) =>
        S3Failures.TellAsync(address.ToString(), async () =>
        {
            var request = new GetObjectMetadataRequest { BucketName = address.Bucket, Key = address.Key, EtagToMatch = Quoted(etag), ChecksumMode = ChecksumMode.ENABLED };
            var found = await clients.Of(source).GetObjectMetadataAsync(request, cancellationToken).ConfigureAwait(false);
            return new ObjectFacts(found.ContentLength, Plain(found.ETag), S3Checksums.Of(found));
        }, cancellationToken);

    public Task<Stream> OpenAsync(StorageSource source, ObjectAddress address, string etag, long offset, long length, CancellationToken cancellationToken) =>
        S3Failures.TellAsync<Stream>(address.ToString(), async () =>
        {
            var request = new GetObjectRequest { BucketName = address.Bucket, Key = address.Key, EtagToMatch = Quoted(etag), ByteRange = new ByteRange(offset, offset + length - 1) };
            var found = await clients.Of(source).GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
            if (Plain(found.ETag) != etag || found.ContentLength != length)
            {
                found.Dispose();
                throw new ObjectStoreException(StoreFailure.Changed, $"'{address}' was answered with another ETag or length than was asked for");
            }

            return new S3Stream(found);
        }, cancellationToken);

    private static string Quoted(string etag) => $"\"{etag}\"";

    private static string Plain(string? etag) => etag?.Trim('"') ?? "";
}
