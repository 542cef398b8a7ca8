using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// An answer that arrives, on the connection's reading thread: <see cref="Read"/> with its frame, <see cref="Complete"/> with the last
/// byte of its payloads, which are the caller's from then on.
/// </summary>
internal sealed class IncomingResponse(
    OutgoingCalls calls, OutgoingCall outgoing, IncomingSegments? segments, ExceptionFormat exceptions, Action<GrainCall, GrainAddress> redirect)
{
    private Exception? _error;
    private GrainAddress? _redirect;
    private bool _refused;

    public void Read(ResponseKind kind, ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body, segments?.BodyLength ?? body.Length, segments);
        try
        {
            switch (kind)
            {
                case ResponseKind.Result:
                    outgoing.Call.ReadResult(ref reader);
                    break;
                case ResponseKind.Redirect:
                    _redirect = MessageFormat.ReadRedirect(ref reader, outgoing.Call.Target);
                    break;
                default:
                    _refused = kind == ResponseKind.Refused;
                    _error = exceptions.Read(ref reader);
                    break;
            }
        }
#pragma warning disable CA1031 // Constructors of result types are anybody's code, and whatever they refuse is the caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _error = new WireFormatException($"the answer to {outgoing.Call.Method} cannot be read: {exception.Message}", exception);
        }
    }

    public void Complete()
    {
        var isWanted = calls.TryRemove(outgoing);
        if (isWanted && _redirect is null && _error is null && outgoing.Call.TryEndFromRemote())
        {
            calls.NoteAnswered(outgoing);
            return;
        }

        Abandon();
        if (isWanted && _redirect is not null)
        {
            redirect(outgoing.Call, _redirect);
        }
        else if (isWanted && _error is not null)
        {
            if (_refused)
            {
                calls.NoteRefused(outgoing);
            }

            outgoing.Call.Fail(_error);
        }
    }

    /// <summary>The rest never comes.</summary>
    public void Abandon() => segments?.DisposePayloads();
}
