using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The bodies of calls and responses.</summary>
internal static class MessageFormat
{
    private const byte MayPlaceFlag = 1;

    /// <exception cref="WireFormatException">An argument cannot be written, or the message is too large.</exception>
    public static OutgoingMessage WriteCall(OutgoingCall outgoing, TimeSpan? timeLeft, bool mayPlace, long maxBytes)
    {
        var call = outgoing.Call;
        var writer = OutgoingMessage.BeginBody();
        try
        {
            writer.WriteFixed64(call.Method.WireId);
            writer.WriteVarint(timeLeft is { } time ? (ulong)Math.Max(1, (long)time.TotalMilliseconds) : 0);
            writer.WriteByte(mayPlace ? MayPlaceFlag : (byte)0);
            writer.WriteText(call.Target.Type.ToString());
            writer.WriteText(call.Target.Key.ToString());
            call.WriteArguments(writer);
            writer.WriteEnd();
            return OutgoingMessage.Finish(writer, FrameType.Call, 0, outgoing.Id, maxBytes, outgoing);
        }
        catch
        {
            writer.Abandon();
            throw;
        }
    }

    /// <exception cref="WireFormatException">The bytes make no sense.</exception>
    public static CallPreamble ReadCall(ref WireReader reader)
    {
        var method = reader.ReadFixed64();
        var milliseconds = reader.ReadVarint();
        var flags = reader.ReadByte();
        var type = reader.ReadText();
        var key = reader.ReadText();
        var timeLeft = milliseconds is 0 or > int.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(milliseconds);
        return new CallPreamble(method, timeLeft, (flags & MayPlaceFlag) != 0, GrainId.Create(type, key));
    }

    /// <summary>The response to a call that has its end. Its payloads are disposed with it, save for those that are arguments too.</summary>
    public static OutgoingMessage WriteOutcome(
        ulong id, GrainCall call, bool ran, IncomingSegments? arguments, ExceptionFormat exceptions, long maxBytes)
    {
        if (call.Outcome is not { IsCompletedSuccessfully: true } outcome)
        {
            return WriteFailure(id, ErrorOf(call.Outcome), ran, exceptions);
        }

        var writer = OutgoingMessage.BeginBody();
        try
        {
            call.WriteResult(writer);
            writer.WriteEnd();
            var message = OutgoingMessage.Finish(writer, FrameType.Response, (byte)ResponseKind.Result, id, maxBytes, null);
            foreach (var segment in writer.Segments)
            {
                arguments?.Forget(segment.Owner);
            }

            return message;
        }
        catch (WireFormatException exception)
        {
            Drop(writer, arguments);
            return WriteFailure(id, exception, ran, exceptions);
        }
    }

    public static OutgoingMessage WriteFailure(ulong id, Exception error, bool ran, ExceptionFormat exceptions)
    {
        var writer = OutgoingMessage.BeginBody();
        if (error is WrongSiloException wrong)
        {
            writer.WriteMember(0, Codecs.NullableReference(Codecs.SiloAddress), wrong.Address.SiloAddress);
            writer.WriteMember(1, Codecs.Guid, wrong.Address.ActivationId.Key);
            writer.WriteMember(2, Codecs.Int64, wrong.Address.MembershipVersion.Value);
        }
        else
        {
            exceptions.Write(writer, error, ran);
        }

        writer.WriteEnd();
        var kind = error is WrongSiloException ? ResponseKind.Redirect
            : error is SiloUnavailableException && !ran ? ResponseKind.Refused
            : ResponseKind.Error;
        return OutgoingMessage.Finish(writer, FrameType.Response, (byte)kind, id, 0, null);
    }

    /// <exception cref="WireFormatException">The bytes make no sense.</exception>
    public static GrainAddress ReadRedirect(ref WireReader reader, GrainId grain)
    {
        var address = new GrainAddress { GrainId = grain };
        while (reader.TryReadKey(out var id, out var kind))
        {
            switch (id)
            {
                case 0:
                    address = address with { SiloAddress = Codecs.NullableReference(Codecs.SiloAddress).ReadMember(ref reader, kind) };
                    break;
                case 1:
                    address = address with { ActivationId = new ActivationId(Codecs.Guid.ReadMember(ref reader, kind)) };
                    break;
                case 2:
                    address = address with { MembershipVersion = new MembershipVersion(Codecs.Int64.ReadMember(ref reader, kind)) };
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }

        return address;
    }

    /// <summary>Disposes the payloads of a result that nobody waits for.</summary>
    public static void DropResult(GrainCall call, IncomingSegments? arguments)
    {
        var writer = new WireWriter();
        try
        {
            call.WriteResult(writer);
        }
        catch (WireFormatException)
        {
            // What was found up to there is dropped; the rest is left to the collector.
        }

        Drop(writer, arguments);
    }

    private static void Drop(WireWriter writer, IncomingSegments? arguments)
    {
        foreach (var segment in writer.Segments)
        {
            arguments?.Forget(segment.Owner);
            segment.Owner.Dispose();
        }

        writer.Abandon();
    }

    private static Exception ErrorOf(Task outcome) =>
        outcome.Exception?.InnerException ?? new OperationCanceledException("the call was cancelled");
}
