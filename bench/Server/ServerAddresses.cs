using System.Globalization;
using System.Net;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>Reads <c>grpc=HOST:PORT,http=HOST:PORT[,pid=N]</c>.</summary>
internal static class ServerAddresses
{
    public static ServerUnderTest Parse(string text)
    {
        IPEndPoint? grpc = null;
        IPEndPoint? http = null;
        int? process = null;
        foreach (var part in text.Split(','))
        {
            var (key, value) = part.Split('=', 2) is [var left, var right] ? (left, right) : (part, "");
            switch (key)
            {
                case "grpc":
                    grpc = Resolve(value);
                    break;
                case "http":
                    http = Resolve(value);
                    break;
                case "pid" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Directory.Exists($"/proc/{id}"):
                    process = id;
                    break;
                default:
                    throw new UsageException($"option '--server' does not take '{part}'");
            }
        }

        return grpc is not null && http is not null
            ? new ServerUnderTest(grpc, http, process, $"{text} (ran already)")
            : throw new UsageException("option '--server' takes grpc=HOST:PORT,http=HOST:PORT and, where it runs here, pid=N");
    }

    private static IPEndPoint Resolve(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new UsageException($"'{text}' is not HOST:PORT");
        }

        try
        {
            return new IPEndPoint(Dns.GetHostAddresses(text[..colon])[0], port);
        }
        catch (System.Net.Sockets.SocketException error)
        {
            throw new BenchmarkException($"{text}: {error.Message}");
        }
    }
}
