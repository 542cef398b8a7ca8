using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Tests.Common;

/// <summary>Signature Version 4 in the Authorization header, as a server checks it.</summary>
internal static partial class S3Signature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <returns>S3's code for what is wrong; null if nothing is.</returns>
    public static string? ProblemOf(HttpContext http, string accessKey, string secret, string region)
    {
        var parsed = Authorization().Match(http.Request.Headers.Authorization.ToString());
        if (!parsed.Success)
        {
            return "AccessDenied";
        }

        var (day, signed) = (parsed.Groups["day"].Value, parsed.Groups["headers"].Value.Split(';'));
        var time = http.Request.Headers["x-amz-date"].ToString();
        if (parsed.Groups["key"].Value != accessKey)
        {
            return "InvalidAccessKeyId";
        }

        if (parsed.Groups["region"].Value != region || !time.StartsWith(day, StringComparison.Ordinal) || !signed.Contains("host") || !signed.Contains("x-amz-date"))
        {
            return "AuthorizationHeaderMalformed";
        }

        var scope = $"{day}/{region}/s3/aws4_request";
        var text = $"{Algorithm}\n{time}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(Canonical(http, signed))))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + secret);
        foreach (var part in (string[])[day, region, "s3", "aws4_request", text])
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        }

        return Hex(key) == parsed.Groups["signature"].Value ? null : "SignatureDoesNotMatch";
    }

    private static string Canonical(HttpContext http, string[] signed)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?', 2);
        var query = target.Length < 2
            ? Enumerable.Empty<string>()
            : target[1].Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('=', 2))
                .Select(static pair => $"{Again(pair[0])}={(pair.Length > 1 ? Again(pair[1]) : "")}").Order(StringComparer.Ordinal);
        var headers = signed.Select(name => $"{name}:{string.Join(',', http.Request.Headers[name].Select(static value => value?.Trim()))}\n");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{http.Request.Method}\n{target[0]}\n{string.Join('&', query)}\n{string.Concat(headers)}\n{string.Join(';', signed)}\n{http.Request.Headers["x-amz-content-sha256"]}");
    }

    private static string Again(string encoded) => Uri.EscapeDataString(Uri.UnescapeDataString(encoded));

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    [GeneratedRegex("^AWS4-HMAC-SHA256 Credential=(?<key>[^/]+)/(?<day>[0-9]{8})/(?<region>[^/]+)/s3/aws4_request, ?SignedHeaders=(?<headers>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$")]
    private static partial Regex Authorization();
}
