using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Gateway.Grpc;

/// <summary>The answers of a stream. May be called concurrently; messages go out whole, in the order in which the calls got their turn.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore holds nothing unless its wait handle is asked for; a late write must find it usable.")]
public sealed class GrpcStreamWriter
{
    private const int Http2Cancel = 8;

    private readonly GrpcCallContext _call;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly bool _mayCompress;
    private bool _headersSet;
    private bool _ended;

    internal GrpcStreamWriter(GrpcCallContext call)
    {
        _call = call;
        _mayCompress = GrpcResponse.MayCompress(call);
    }

    /// <summary>
    /// Sends one finished message and disposes it, whatever the outcome. Completes when there is room for the next one: it waits while
    /// the client does not take what was sent before. Throws <see cref="OperationCanceledException"/> when the call was cancelled.
    /// </summary>
    public async ValueTask WriteAsync(PayloadBuffer message)
    {
        using (message)
        {
            await _turn.WaitAsync(_call.CancellationToken).ConfigureAwait(false);
            try
            {
                await WriteLockedAsync(message).ConfigureAwait(false);
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    /// <summary>Sets the outcome after the last message; null means OK.</summary>
    internal async Task EndAsync(Failure? failure)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            EndLocked(failure);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Ends the stream while its handler still runs: with the failure, or with a reset if a message is stuck halfway.</summary>
    internal async Task EndAtDeadlineAsync(Failure failure)
    {
        if (!_turn.Wait(0))
        {
            _call.HttpContext.Features.Get<IHttpResetFeature>()?.Reset(Http2Cancel);
            return;
        }

        try
        {
            EndLocked(failure);
            await _call.HttpContext.Response.CompleteAsync().ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async ValueTask WriteLockedAsync(PayloadBuffer message)
    {
        ThrowIfOver();
        using var compressed = _mayCompress && _call.RequestWasCompressed ? GrpcCompression.TryCompress(message, _call.RequestEncoding) : null;
        if (!_headersSet)
        {
            _headersSet = true;
            GrpcResponse.Begin(_call.HttpContext);
            if (_mayCompress)
            {
                GrpcResponse.AnnounceCompression(_call);
            }
        }

        try
        {
            var payload = compressed ?? message;
            await GrpcMessageWriter.WriteAsync(_call.HttpContext.Response.BodyWriter, payload.Memory, compressed is not null, flush: true)
                .ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            _call.MarkCancelled(CancellationCause.Client);
            throw new OperationCanceledException(exception.Message, exception);
        }
    }

    private void ThrowIfOver()
    {
        if (_ended || _call.CancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(_call.CancellationToken);
        }
    }

    private void EndLocked(Failure? failure)
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        if (failure is not null)
        {
            GrpcResponse.SetFailure(_call.HttpContext, failure);
        }
        else
        {
            if (!_call.HttpContext.Response.HasStarted)
            {
                GrpcResponse.Begin(_call.HttpContext);
            }

            GrpcResponse.SetOk(_call.HttpContext);
        }
    }
}
