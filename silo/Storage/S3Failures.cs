using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Cluster.Grains.Objects;

namespace Cluster.Silo.Storage;

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
