using System.Net;
using System.Text.RegularExpressions;
using Amazon.Runtime;
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

/// <summary>What a store's refusals mean. Their own texts stay here: those of signatures name keys.</summary>
internal static class S3Failures
{
    /// <param name="what">The address, for messages.</param>
    /// <exception cref="ObjectStoreException">It failed, with our own text.</exception>
    public static async Task<T> TellAsync<T>(string what, Func<Task<T>> ask, CancellationToken cancellationToken)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (AmazonS3Exception exception)
        {
            throw Of(what, exception);
        }
        catch (AmazonServiceException exception)
        {
            throw new ObjectStoreException(StoreFailure.Denied, $"'{what}': no credentials were found, or they could not be taken", exception);
        }
        catch (Exception exception) when (exception is AmazonClientException or HttpRequestException or IOException
            || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw IsWithoutCredentials(exception)
                ? new ObjectStoreException(StoreFailure.Denied, $"'{what}': no credentials were found", exception)
                : new ObjectStoreException(StoreFailure.Away, $"'{what}': object storage cannot be reached", exception);
        }
    }

    internal static ObjectStoreException Of(string what, AmazonS3Exception exception)
    {
        var status = (int)exception.StatusCode;
        var (failure, reason) = exception switch
        {
            { ErrorCode: "SlowDown" or "RequestLimitExceeded" or "Throttling" } or { StatusCode: HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests } =>
                (StoreFailure.Busy, "object storage asks for fewer requests"),
            { StatusCode: HttpStatusCode.PreconditionFailed } => (StoreFailure.Changed, "it has changed since it was listed"),
            { ErrorCode: "RequestTimeTooSkewed" } => (StoreFailure.Denied, "object storage's clock and this machine's differ"),
            { StatusCode: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } => (StoreFailure.Denied, "object storage denies access"),
            { ErrorCode: "NoSuchBucket" } => (StoreFailure.Missing, "there is no such bucket"),
            { StatusCode: HttpStatusCode.NotFound } => (StoreFailure.Missing, "it is not there"),
            { ErrorCode: "RequestTimeout" } => (StoreFailure.Away, "object storage waited too long"),
            _ when status >= 500 => (StoreFailure.Away, $"object storage failed with status {status}"),
            _ when status == 0 => (StoreFailure.Away, "object storage cannot be reached"),
            _ => (StoreFailure.Broken, $"object storage refuses with status {status}"),
        };
        return new ObjectStoreException(failure, $"'{what}': {reason}", exception);
    }

    /// <summary>The chain's last place is asked over the network, and its failure looks like one.</summary>
    private static bool IsWithoutCredentials(Exception exception) => exception is AmazonClientException && exception.Message.Contains("credentials", StringComparison.OrdinalIgnoreCase);
}

/// <summary>What a store tells of an object's content.</summary>
internal static partial class S3Checksums
{
    /// <summary>Encryption that leaves the MD5 as ETag.</summary>
    private const string OwnKeys = "AES256";

    /// <summary>Checksums over the whole object. One that is made of those of parts says nothing of the whole.</summary>
    public static IReadOnlyList<ObjectChecksum> Of(GetObjectMetadataResponse found)
    {
        var sums = new List<ObjectChecksum>();
        if (found.ChecksumType != ChecksumType.COMPOSITE)
        {
            Add(sums, ChecksumKind.Sha256, found.ChecksumSHA256, 32);
            Add(sums, ChecksumKind.Crc32, found.ChecksumCRC32, 4);
            Add(sums, ChecksumKind.Crc64Nvme, found.ChecksumCRC64NVME, 8);
        }

        // Of an object that was sent in parts, or that a key of the store's or of the client's encrypts, the ETag is no MD5.
        var etag = found.ETag?.Trim('"') ?? "";
        if (Md5().IsMatch(etag) && string.IsNullOrEmpty(found.ServerSideEncryptionCustomerMethod?.Value) && (found.ServerSideEncryptionMethod?.Value is null or "" or OwnKeys))
        {
            sums.Add(new ObjectChecksum(ChecksumKind.Md5, etag));
        }

        return sums;
    }

    private static void Add(List<ObjectChecksum> sums, ChecksumKind kind, string? value, int length)
    {
        Span<byte> bytes = stackalloc byte[32];
        if (value is not null && Convert.TryFromBase64String(value, bytes, out var written) && written == length)
        {
            sums.Add(new ObjectChecksum(kind, Convert.ToHexStringLower(bytes[..written])));
        }
    }

    [GeneratedRegex("^[0-9a-f]{32}$")]
    private static partial Regex Md5();
}
