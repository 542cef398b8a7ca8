using System.Runtime.InteropServices;

namespace Cluster.Contracts.Wire;

/// <summary>
/// Where everything is in the bytes of a <c>ModelInferResponse</c> with raw contents. Reusable as <see cref="InferRequestMessage"/> is.
/// </summary>
public sealed class InferResponseMessage
{
    private readonly List<TensorSlice> _outputs = [];
    private readonly List<Slice> _rawContents = [];
    private readonly List<long> _dimensions = [];

    public Slice ModelName { get; private set; }

    public Slice ModelVersion { get; private set; }

    public Slice Id { get; private set; }

    public IReadOnlyList<TensorSlice> Outputs => _outputs;

    /// <summary>One entry an output, in the same order.</summary>
    public IReadOnlyList<Slice> RawContents => _rawContents;

    /// <summary>The dimensions of <paramref name="tensor"/>, outermost first.</summary>
    public ReadOnlySpan<long> Shape(in TensorSlice tensor) =>
        CollectionsMarshal.AsSpan(_dimensions).Slice(tensor.FirstDimension, tensor.Rank);

    /// <summary>Reads <paramref name="message"/>, replacing what was read before.</summary>
    /// <exception cref="Errors.ServingException">The bytes are not a <c>ModelInferResponse</c>.</exception>
    public void Parse(ReadOnlySpan<byte> message)
    {
        ModelName = ModelVersion = Id = default;
        _outputs.Clear();
        _rawContents.Clear();
        _dimensions.Clear();
        var reader = new ProtoReader(message, "ModelInferResponse");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case InferFields.ModelName:
                    ModelName = reader.ReadString();
                    break;
                case InferFields.ModelVersion:
                    ModelVersion = reader.ReadString();
                    break;
                case InferFields.Id:
                    Id = reader.ReadString();
                    break;
                case InferFields.Tensors:
                    _outputs.Add(TensorParser.ParseOutput(message, reader.ReadSlice(), _dimensions, int.MaxValue));
                    break;
                case InferFields.RawOutputContents:
                    _rawContents.Add(reader.ReadSlice());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }
}
