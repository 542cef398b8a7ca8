using System.Net.Http.Headers;
using Cluster.Cli.Connection;

namespace Cluster.Cli.Load;

/// <summary>A request that is sent over and over; each time its answer is read to the end, and not looked into.</summary>
internal sealed class RepeatedRequest
{
    private readonly ClusterClient _client;
    private readonly string _path;
    private readonly byte[] _body;
    private readonly HttpContentHeaders _headers;

    private RepeatedRequest(ClusterClient client, string path, byte[] body, HttpContentHeaders headers) => (_client, _path, _body, _headers) = (client, path, body, headers);

    /// <summary>Sends it once, which loads a model that is not in memory.</summary>
    /// <exception cref="CommandFailure">It is refused: so would be all that follow.</exception>
    public static async Task<RepeatedRequest> BeginAsync(ClusterClient client, string path, HttpContent body, CancellationToken cancellationToken)
    {
        var request = new RepeatedRequest(client, path, await body.ReadAsByteArrayAsync(cancellationToken), body.Headers);
        await client.SendOnceAsync(path, request.Content(), cancellationToken);
        return request;
    }

    /// <returns>Why it failed; null for an answer.</returns>
    public async Task<string?> SendAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.SendOnceAsync(_path, Content(), cancellationToken);
            return null;
        }
        catch (CommandFailure failure)
        {
            return failure.Message;
        }
        catch (Exception exception) when (exception is HttpRequestException or HttpIOException)
        {
            return "the connection broke off before the answer was whole";
        }
    }

    private ByteArrayContent Content()
    {
        var content = new ByteArrayContent(_body);
        foreach (var (name, values) in _headers)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        return content;
    }
}
