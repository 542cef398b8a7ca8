using Cluster.Contracts.Errors;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// The rich error model: a <c>google.rpc.Status</c> {1: code, 2: message, 3: repeated Any} that holds one
/// <c>google.rpc.RetryInfo</c> {1: Duration}. Two messages of four fields are written by hand here.
/// </summary>
internal static class GrpcStatusDetails
{
    private const string RetryInfoType = "type.googleapis.com/google.rpc.RetryInfo";
    private const uint LengthDelimited1 = (1 << 3) | 2;
    private const uint Varint1 = 1 << 3;
    private const uint LengthDelimited2 = (2 << 3) | 2;
    private const uint LengthDelimited3 = (3 << 3) | 2;

    /// <summary>The header's value: base64 without padding, as gRPC asks of binary metadata.</summary>
    public static string Encode(StatusCode code, string message, TimeSpan retryAfter)
    {
        var retryInfo = Serialize(output =>
        {
            output.WriteTag(LengthDelimited1);
            output.WriteMessage(Duration.FromTimeSpan(retryAfter));
        });
        var status = Serialize(output =>
        {
            output.WriteTag(Varint1);
            output.WriteInt32((int)code);
            output.WriteTag(LengthDelimited2);
            output.WriteString(message);
            output.WriteTag(LengthDelimited3);
            output.WriteMessage(new Any { TypeUrl = RetryInfoType, Value = ByteString.CopyFrom(retryInfo) });
        });
        return Convert.ToBase64String(status).TrimEnd('=');
    }

    private static byte[] Serialize(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            write(output);
        }

        return bytes.ToArray();
    }
}
