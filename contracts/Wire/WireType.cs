namespace Cluster.Contracts.Wire;

/// <summary>How a protobuf field's value is laid out (protobuf encoding guide, "Message structure").</summary>
public enum WireType : byte
{
    Varint = 0,
    Fixed64 = 1,
    LengthDelimited = 2,
    StartGroup = 3,
    EndGroup = 4,
    Fixed32 = 5,
}
