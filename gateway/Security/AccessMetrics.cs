using System.Diagnostics.Metrics;
using Cluster.Gateway.Security.Policy;
using Cluster.Gateway.Security.Tokens;

namespace Cluster.Gateway.Security;

/// <summary>The part of the meter "Cluster.Security" about certificates and keys that expire on the ports of clients.</summary>
internal sealed class AccessMetrics
{
    public const string MeterName = "Cluster.Security";

    /// <param name="tls">Null: the ports speak no TLS.</param>
    public AccessMetrics(IMeterFactory meters, AccessControl control, TokenValidator tokens, EndpointTls? tls = null)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.api_key.end_time", () => Ends(control.Policy), "s", "End of an API key, since the Unix epoch");
        meter.CreateObservableGauge("cluster.token_keys.time", () => Taken(tokens), "s", "Time at which the keys of tokens were last found to be those of their issuer, since the Unix epoch");
        if (tls is not null)
        {
            meter.CreateObservableGauge("cluster.tls_certificate.end_time", () => tls.NotAfter.ToUnixTimeSeconds(), "s", "End of the certificate for clients, since the Unix epoch");
        }
    }

    private static IEnumerable<Measurement<long>> Taken(TokenValidator tokens) =>
        tokens.KeysTaken is { } taken ? [new Measurement<long>(taken.ToUnixTimeSeconds())] : [];

    private static IEnumerable<Measurement<long>> Ends(AccessPolicy policy) =>
        from client in policy.Clients
        from key in client.Keys
        where key.Expires < DateTimeOffset.MaxValue
        select new Measurement<long>(key.Expires.ToUnixTimeSeconds(), new("client", client.Name), new("key", key.Id));
}
