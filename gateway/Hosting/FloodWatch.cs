using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Cluster.Gateway.Hosting;

/// <summary>
/// Learns which connections the web server closed for floods. Its meter alone says so: it tells why each connection ended, with the tags that connections were given. So each
/// is given one that leads to its address. Make it before the web server listens: a connection that began before has no tags.
/// </summary>
internal sealed class FloodWatch : IDisposable
{
    private const string MeterName = "Microsoft.AspNetCore.Server.Kestrel";
    private const string Ends = "kestrel.connection.duration";
    private const string Reason = "error.type";
    private const string Origin = "cluster.origin";

    /// <summary>What no client does that keeps to HTTP/2. Left out are slow peers, lost ones, and requests that are merely wrong or too large.</summary>
    private static readonly FrozenSet<string> Floods = FrozenSet.Create(
        StringComparer.Ordinal,
        "stream_reset_limit_exceeded",
        "output_queue_size_exceeded",
        "flow_control_queue_size_exceeded",
        "flow_control_window_exceeded",
        "invalid_window_update_size",
        "frame_after_stream_close",
        "max_frame_length_exceeded",
        "invalid_frame_length",
        "invalid_data_padding",
        "invalid_settings",
        "invalid_stream_id",
        "stream_self_dependency",
        "unexpected_frame",
        "unknown_stream");

    private readonly AddressHolds _holds;
    private readonly MeterListener _listener;

    /// <param name="meters">Of this host, as several can share a process.</param>
    public FloodWatch(AddressHolds holds, IMeterFactory meters)
    {
        _holds = holds;
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == Ends && instrument.Meter.Name == MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(instrument, this);
                }
            },
        };
        _listener.SetMeasurementEventCallback<double>(static (_, _, tags, watch) => ((FloodWatch)watch!).Ended(tags));
        _listener.Start();
    }

    /// <summary>Has the end of a connection tell where it came from.</summary>
    public static void Mark(ConnectionContext connection, IPAddress address, int port) =>
        connection.Features.Get<IConnectionMetricsTagsFeature>()?.Tags.Add(new(Origin, new ConnectionOrigin(address, port)));

    public void Dispose() => _listener.Dispose();

    private void Ended(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        ConnectionOrigin? origin = null;
        string? reason = null;
        foreach (var (name, value) in tags)
        {
            switch (name)
            {
                case Origin:
                    origin = value as ConnectionOrigin;
                    break;
                case Reason:
                    reason = value as string;
                    break;
            }
        }

        if (origin is not null && reason is not null && Floods.Contains(reason))
        {
            _holds.Flooded(origin.Address, origin.Port, reason);
        }
    }

    /// <summary>A tag without text, and equal to all others: so that it neither shows in metrics nor splits their series by address.</summary>
    private sealed class ConnectionOrigin(IPAddress address, int port)
    {
        public IPAddress Address => address;

        public int Port => port;

        public override bool Equals(object? obj) => obj is ConnectionOrigin;

        public override int GetHashCode() => 0;

        public override string ToString() => "";
    }
}
