namespace Cluster.Runtime;

/// <summary>Names the codec by which a type of this assembly travels beside the message.</summary>
/// <param name="payloadType">The type.</param>
/// <param name="codecType">Derived from <see cref="PayloadCodec{T}"/> of the type.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class PayloadCodecAttribute(Type payloadType, Type codecType) : Attribute
{
    public Type PayloadType { get; } = payloadType;

    public Type CodecType { get; } = codecType;
}
