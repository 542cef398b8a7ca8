using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Transport;

/// <summary>A connection between two silos, as Orleans sees one: it reads and writes messages, and is told when the connection is closed.</summary>
internal sealed class FrameConnection : ConnectionContext, IDuplexPipe
{
    private readonly CancellationTokenSource _closed = new();
    private readonly IFrameChannel _channel;
    private readonly FrameSender _sender;
    private readonly ILogger _logger;
    private int _isClosed;

    /// <param name="local">This end.</param>
    /// <param name="remote">The other.</param>
    public FrameConnection(IFrameChannel channel, EndPoint? local, EndPoint? remote, TransportOptions options, TimeProvider time, ILogger logger)
    {
        _channel = channel;
        _logger = logger;
        _sender = new FrameSender(channel, Close);
        Input = new FrameReader(channel, options, time, Close);
        Output = new FrameWriter(_sender, options);
        LocalEndPoint = local;
        RemoteEndPoint = remote;
        ConnectionClosed = _closed.Token;
        Transport = this;
    }

    /// <inheritdoc/>
    public PipeReader Input { get; }

    /// <inheritdoc/>
    public PipeWriter Output { get; }

    /// <inheritdoc/>
    public override IDuplexPipe Transport { get; set; }

    /// <inheritdoc/>
    public override string ConnectionId { get; set; } = Guid.NewGuid().ToString("N");

    /// <inheritdoc/>
    public override IFeatureCollection Features { get; } = new FeatureCollection();

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed { get; set; }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint { get; set; }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint { get; set; }

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => Close(null);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        Close(null);
        await _sender.CloseAsync().ConfigureAwait(false);
        await Input.CompleteAsync().ConfigureAwait(false);
        await Output.CompleteAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <param name="reason">Why, if this process finds fault with the peer or the network.</param>
    private void Close(Exception? reason)
    {
        if (Interlocked.Exchange(ref _isClosed, 1) != 0)
        {
            return;
        }

        if (reason is InvalidDataException or TimeoutException)
        {
            Log.Refused(_logger, RemoteEndPoint, reason.Message);
        }

        _channel.Close();
        _ = _sender.CloseAsync();
        _ = _closed.CancelAsync();
    }
}

internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Warning, "Connection with {Peer} was closed: {Reason}")]
    public static partial void Refused(ILogger logger, EndPoint? peer, string reason);

    [LoggerMessage(1101, LogLevel.Debug, "Connection from {Peer} was accepted")]
    public static partial void Accepted(ILogger logger, EndPoint? peer);

    [LoggerMessage(1102, LogLevel.Debug, "Connection was lost before it was accepted: {Reason}")]
    public static partial void NotAccepted(ILogger logger, string reason);
}
