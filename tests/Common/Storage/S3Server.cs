using System.Collections.Concurrent;
using System.Globalization;
using System.Security;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Tests.Common;

/// <summary>
/// Speaks what is read of S3, on a free port of 127.0.0.1, with buckets in the path: ListObjectsV2 in pages, HEAD, and GET with Range and If-Match. Every request must be signed with
/// <see cref="AccessKey"/>. <see cref="Fault"/> says what goes wrong.
/// </summary>
public sealed class S3Server : IAsyncDisposable
{
    public const string AccessKey = "AKIDTEST";
    public const string SecretKey = "an+example/secret";
    public const string Region = "eu-test-1";

    private const int Piece = 64 * 1024;

    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<(string Bucket, string Key), S3Item> _items = new();
    private readonly ConcurrentQueue<S3Call> _calls = new();
    private readonly CancellationTokenSource _stop = new();
    private int _number;

    private S3Server(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        _app = builder.Build();
        _app.Urls.Add(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"));
        _app.Run(AnswerAsync);
    }

    public string Url => _app.Urls.First();

    /// <summary>What goes wrong with a call; null for nothing.</summary>
    public Func<S3Call, S3Fault?> Fault { get; set; } = static _ => null;

    /// <summary>Objects that one page of a listing has.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Every call, in the order in which they came.</summary>
    public IReadOnlyList<S3Call> Calls => [.. _calls];

    /// <param name="port">0 for a free one.</param>
    public static async Task<S3Server> StartAsync(int port = 0)
    {
        var server = new S3Server(port);
        await server._app.StartAsync();
        return server;
    }

    public void Put(string bucket, string key, S3Item item) => _items[(bucket, key)] = item;

    public void Put(string bucket, string key, byte[] content) => Put(bucket, key, S3Item.Of(content));

    public void Delete(string bucket, string key) => _items.TryRemove((bucket, key), out _);

    /// <summary>Puts the files of a folder below a prefix, in the order of their names.</summary>
    public void PutFolder(string bucket, string prefix, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            Put(bucket, $"{prefix}/{Path.GetRelativePath(folder, file)}", File.ReadAllBytes(file));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        _stop.Dispose();
    }

    private static async Task RefuseAsync(HttpContext http, int status, string code)
    {
        http.Response.StatusCode = status;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            http.Response.ContentType = "application/xml";
            await http.Response.WriteAsync($"<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>for {AccessKey}: {code}</Message><RequestId>1</RequestId></Error>");
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = Uri.UnescapeDataString(http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0]).TrimStart('/');
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var bucket = slash < 0 ? path : path[..slash];
        var key = slash < 0 ? "" : path[(slash + 1)..];
        var isListing = key.Length == 0 && http.Request.Query["list-type"] == "2";
        var call = new S3Call(
            Interlocked.Increment(ref _number), isListing ? "LIST" : http.Request.Method, isListing ? http.Request.Query["prefix"].ToString() : key, http.Request.Headers.Range.ToString(), http.Request.Headers.IfMatch.ToString());
        _calls.Enqueue(call);
        http.Response.Headers["x-amz-request-id"] = call.Number.ToString(CultureInfo.InvariantCulture);
        var fault = Fault(call);
        fault?.Before?.Invoke();
        if (S3Signature.ProblemOf(http, AccessKey, SecretKey, Region) is { } problem)
        {
            await RefuseAsync(http, 403, problem);
        }
        else if (fault?.Status is { } status)
        {
            await RefuseAsync(http, status, fault.Code);
        }
        else if (isListing)
        {
            await ListAsync(http, bucket, call.Key);
        }
        else if (_items.TryGetValue((bucket, key), out var item))
        {
            await SendAsync(http, item, fault);
        }
        else
        {
            await RefuseAsync(http, 404, "NoSuchKey");
        }
    }

    private Task ListAsync(HttpContext http, string bucket, string prefix)
    {
        var found = _items.Where(item => item.Key.Bucket == bucket).Select(static item => (item.Key.Key, item.Value)).ToList();
        if (found.Count == 0 && prefix.StartsWith("no-bucket", StringComparison.Ordinal))
        {
            return RefuseAsync(http, 404, "NoSuchBucket");
        }

        var after = http.Request.Query["continuation-token"].ToString();
        var rest = found.Where(item => item.Key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(item.Key, after) > 0).OrderBy(static item => item.Key, StringComparer.Ordinal).ToList();
        var page = rest.Take(PageSize).ToList();
        var isUrl = http.Request.Query["encoding-type"] == "url";
        var xml = new StringBuilder("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        xml.Append(CultureInfo.InvariantCulture, $"<Name>{bucket}</Name><Prefix>{Text(prefix)}</Prefix><KeyCount>{page.Count}</KeyCount><MaxKeys>{PageSize}</MaxKeys><IsTruncated>{(rest.Count > page.Count ? "true" : "false")}</IsTruncated>");
        if (isUrl)
        {
            xml.Append("<EncodingType>url</EncodingType>");
        }

        if (rest.Count > page.Count)
        {
            xml.Append(CultureInfo.InvariantCulture, $"<NextContinuationToken>{Text(page[^1].Key)}</NextContinuationToken>");
        }

        foreach (var (key, item) in page)
        {
            xml.Append(CultureInfo.InvariantCulture, $"<Contents><Key>{Text(isUrl ? Uri.EscapeDataString(key) : key)}</Key><LastModified>2030-01-01T00:00:00.000Z</LastModified><ETag>&quot;{item.ETag}&quot;</ETag><Size>{item.Size}</Size><StorageClass>STANDARD</StorageClass></Contents>");
        }

        http.Response.ContentType = "application/xml";
        return http.Response.WriteAsync(xml.Append("</ListBucketResult>").ToString());

        static string Text(string text) => SecurityElement.Escape(text);
    }

    private async Task SendAsync(HttpContext http, S3Item item, S3Fault? fault)
    {
        var etag = $"\"{fault?.ETag ?? item.ETag}\"";
        if (http.Request.Headers.IfMatch.ToString() is { Length: > 0 } wanted && wanted != etag && fault?.ETag is null)
        {
            await RefuseAsync(http, 412, "PreconditionFailed");
            return;
        }

        var (from, to) = (0L, item.Size - 1);
        if (http.Request.GetTypedHeaders().Range is { } range)
        {
            var asked = range.Ranges.Single();
            (from, to) = (asked.From ?? 0, Math.Min(asked.To ?? to, to));
            if (from >= item.Size)
            {
                await RefuseAsync(http, 416, "InvalidRange");
                return;
            }

            http.Response.StatusCode = StatusCodes.Status206PartialContent;
            http.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{item.Size}");
        }

        http.Response.Headers.ETag = etag;
        http.Response.Headers.AcceptRanges = "bytes";
        http.Response.Headers.LastModified = "Tue, 01 Jan 2030 00:00:00 GMT";
        http.Response.ContentType = "application/octet-stream";
        http.Response.ContentLength = to - from + 1;
        if (http.Request.Headers["x-amz-checksum-mode"] == "ENABLED" && item.Checksum is { } checksum)
        {
            http.Response.Headers[checksum.Header] = checksum.Value;
            http.Response.Headers["x-amz-checksum-type"] = "FULL_OBJECT";
        }

        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await SendBodyAsync(http, item, from, to - from + 1, fault);
        }
    }

    private async Task SendBodyAsync(HttpContext http, S3Item item, long offset, long length, S3Fault? fault)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stop.Token);
        var sent = 0L;
        var buffer = new byte[Piece];
        while (sent < length)
        {
            if (fault?.CutAfter <= sent)
            {
                await http.Response.Body.FlushAsync(end.Token);
                http.Abort();
                return;
            }

            if (fault?.Hold is { } hold && sent > 0)
            {
                await http.Response.Body.FlushAsync(end.Token);
                await hold.WaitAsync(end.Token);
            }

            var size = (int)Math.Min(Math.Min(length - sent, buffer.Length), fault?.CutAfter - sent ?? buffer.Length);
            item.Read(offset + sent, buffer.AsSpan(0, size));
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, size), end.Token);
            sent += size;
        }
    }
}
