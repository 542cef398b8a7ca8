using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Trust;

/// <summary>
/// Walks a .onnx file's graphs, nodes and tensors without building objects of them, and refuses files beyond the limits. It recurses no deeper than the limit of nested
/// subgraphs. Fields of onnx.proto: <c>ModelProto.graph = 7, training_info = 20, functions = 25; GraphProto.node = 1, initializer = 5, sparse_initializer = 15;
/// NodeProto.attribute = 5; AttributeProto.t = 5, g = 6, tensors = 10, graphs = 11, sparse_tensor = 22, sparse_tensors = 23; SparseTensorProto.values = 1, indices = 2,
/// dims = 3; FunctionProto.node = 7, attribute_proto = 11; TrainingInfoProto.initialization = 1, algorithm = 2</c>.
/// </summary>
internal readonly ref struct ModelScanner
{
    /// <summary>A version has no more files.</summary>
    private const int MaxLocations = 10_000;

    /// <summary>Before this ONNX Runtime has places in memory: in a file it names no file.</summary>
    private const char MemoryMark = '*';

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _file;
    private readonly ModelTrustOptions _limits;
    private readonly ModelFacts _facts;

    private ModelScanner(ReadOnlySpan<byte> bytes, string file, ModelTrustOptions limits)
    {
        _bytes = bytes;
        _file = file;
        _limits = limits;
        _facts = new ModelFacts();
    }

    private delegate void Part(in ModelScanner scanner, Slice range, int depth);

    /// <param name="file">What to call it.</param>
    /// <exception cref="ServingException">UNAVAILABLE: it is no model, or is beyond a limit.</exception>
    public static ModelFacts Scan(ReadOnlySpan<byte> bytes, string file, ModelTrustOptions limits)
    {
        var scanner = new ModelScanner(bytes, file, limits);
        try
        {
            scanner.ScanModel();
            return scanner._facts;
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.InvalidArgument)
        {
            throw Refusal.Of($"'{file}' is no ONNX model in protobuf: {exception.Failure.Message}", exception);
        }
    }

    private void ScanModel()
    {
        var hasGraph = false;
        var reader = new ProtoReader(_bytes, "ModelProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 7:
                    // A message that is given twice is merged by protobuf: what each part declares is less than the whole.
                    Once(ref hasGraph, "graph");
                    ScanGraph(reader.ReadSlice(), depth: 0);
                    break;
                case 20:
                    Each(reader.ReadSlice(), "TrainingInfoProto", [1, 2], static (in ModelScanner scanner, Slice range, int depth) => scanner.ScanGraph(range, depth), depth: 1);
                    break;
                case 25:
                    ScanFunction(reader.ReadSlice());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (!hasGraph)
        {
            throw Refusal.Of($"'{_file}' is no ONNX model in protobuf: it holds no graph");
        }
    }

    private void ScanGraph(Slice range, int depth)
    {
        if (depth > _limits.MaxDepth)
        {
            throw Beyond("subgraphs nested deeper than", nameof(_limits.MaxDepth), _limits.MaxDepth);
        }

        var reader = new ProtoReader(_bytes, range, "GraphProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    ScanNode(reader.ReadSlice(), depth);
                    break;
                case 5:
                    ScanTensor(reader.ReadSlice(), mayBeExternal: depth == 0);
                    break;
                case 15:
                    ScanSparse(reader.ReadSlice());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ScanFunction(Slice range)
    {
        var reader = new ProtoReader(_bytes, range, "FunctionProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 7:
                    ScanNode(reader.ReadSlice(), depth: 0);
                    break;
                case 11:
                    ScanAttribute(reader.ReadSlice(), depth: 0);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ScanNode(Slice range, int depth)
    {
        if (++_facts.Nodes > _limits.MaxNodes)
        {
            throw Beyond("more nodes than", nameof(_limits.MaxNodes), _limits.MaxNodes);
        }

        Each(range, "NodeProto", [5], static (in ModelScanner scanner, Slice attribute, int depth) => scanner.ScanAttribute(attribute, depth), depth);
    }

    private void ScanAttribute(Slice range, int depth)
    {
        var (hasTensor, hasGraph, hasSparse) = (false, false, false);
        var reader = new ProtoReader(_bytes, range, "AttributeProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 5:
                    Once(ref hasTensor, "tensor of an attribute");
                    ScanTensor(reader.ReadSlice(), mayBeExternal: false);
                    break;
                case 6:
                    Once(ref hasGraph, "graph of an attribute");
                    ScanGraph(reader.ReadSlice(), depth + 1);
                    break;
                case 10:
                    ScanTensor(reader.ReadSlice(), mayBeExternal: false);
                    break;
                case 11:
                    ScanGraph(reader.ReadSlice(), depth + 1);
                    break;
                case 22:
                    Once(ref hasSparse, "sparse tensor of an attribute");
                    ScanSparse(reader.ReadSlice());
                    break;
                case 23:
                    ScanSparse(reader.ReadSlice());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
    }

    private void ScanTensor(Slice range, bool mayBeExternal)
    {
        Count();
        var tensor = TensorFacts.Read(_bytes, range);
        CheckSize(tensor.Name, tensor.DeclaredBytes);
        if (!tensor.IsExternal)
        {
            return;
        }

        if (!mayBeExternal)
        {
            throw Refusal.Of($"'{_file}' has external data in a subgraph, function or attribute (tensor {Refusal.Quote(tensor.Name)}); only initializers of the main graph may have it");
        }

        if (tensor.Location.Contains(MemoryMark, StringComparison.Ordinal))
        {
            throw Refusal.Of($"external data {Refusal.Quote(tensor.Location)} of initializer {Refusal.Quote(tensor.Name)} is no name of a file");
        }

        _facts.Want(tensor.Location, tensor.End);
        if (_facts.External.Count > MaxLocations)
        {
            throw Refusal.Of($"'{_file}' names more than {MaxLocations} files of external data");
        }
    }

    /// <summary>ONNX Runtime makes a dense tensor of a sparse one: what counts is the shape of the whole.</summary>
    private void ScanSparse(Slice range)
    {
        Count();
        UInt128 count = 1;
        var (hasValues, hasIndices) = (false, false);
        var reader = new ProtoReader(_bytes, range, "SparseTensorProto");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    Once(ref hasValues, "list of values of a sparse tensor");
                    ScanTensor(reader.ReadSlice(), mayBeExternal: false);
                    break;
                case 2:
                    Once(ref hasIndices, "list of indices of a sparse tensor");
                    ScanTensor(reader.ReadSlice(), mayBeExternal: false);
                    break;
                case 3:
                    count = TensorFacts.Multiply(count, _bytes, ref reader);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        // Its values have the type; the widest number is a safe guess.
        const ulong complex128 = 15;
        CheckSize("a sparse one", TensorFacts.SizeOf(count, complex128));
    }

    private void Count()
    {
        if (++_facts.Tensors > _limits.MaxInitializers)
        {
            throw Beyond("more initializers than", nameof(_limits.MaxInitializers), _limits.MaxInitializers);
        }
    }

    private void CheckSize(string name, long bytes)
    {
        if (bytes > _limits.MaxInitializerBytes)
        {
            var size = bytes == long.MaxValue ? "more bytes than can be counted" : string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes");
            throw Refusal.Of($"initializer {Refusal.Quote(name)} in '{_file}' declares {size}; Models:{nameof(_limits.MaxInitializerBytes)} allows {_limits.MaxInitializerBytes}");
        }
    }

    /// <summary>Gives the parts of a message that are of interest to <paramref name="scan"/>.</summary>
    private void Each(Slice range, string message, ReadOnlySpan<int> fields, Part scan, int depth)
    {
        var reader = new ProtoReader(_bytes, range, message);
        while (reader.Next())
        {
            if (fields.Contains(reader.Field))
            {
                scan(this, reader.ReadSlice(), depth);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void Once(ref bool seen, string what)
    {
        if (seen)
        {
            throw Refusal.Of($"'{_file}' has a {what} twice");
        }

        seen = true;
    }

    private ServingException Beyond(string what, string option, long limit) =>
        Refusal.Of(string.Create(CultureInfo.InvariantCulture, $"'{_file}' has {what} Models:{option} allows, which is {limit}"));
}
