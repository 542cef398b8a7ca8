namespace Cluster.Runtime.CodeGeneration;

/// <summary>Written by the generator: names the codec of a type of this assembly that has <see cref="GenerateSerializerAttribute"/>.</summary>
/// <param name="valueType">The type.</param>
/// <param name="codecType">Derived from <see cref="ObjectCodec{T}"/> of the type.</param>
/// <param name="alias">The type's name on the wire, where it needs one.</param>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
public sealed class WireCodecAttribute(Type valueType, Type codecType, string alias) : Attribute
{
    public Type ValueType { get; } = valueType;

    public Type CodecType { get; } = codecType;

    public string Alias { get; } = alias;
}
