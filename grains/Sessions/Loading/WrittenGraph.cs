using System.Text;
using Cluster.Contracts.Wire;
using Cluster.Grains.Trust;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>
/// A graph as ONNX Runtime has written it. Older files list initializers among the graph's inputs, and where an initializer was folded away its input stays: a session would ask
/// clients for it. Such inputs are taken out (onnx.proto: ModelProto.graph = 7, GraphProto.initializer = 5, input = 11, output = 12, ValueInfoProto.name = 1, TensorProto.name = 8).
/// </summary>
internal static class WrittenGraph
{
    private const int Graph = 7;
    private const int Initializer = 5;
    private const int Input = 11;
    private const int Output = 12;
    private const int ValueName = 1;
    private const int TensorName = 8;

    /// <summary>Leaves the file with the inputs of the model.</summary>
    /// <param name="inputs">Of the session that wrote it.</param>
    /// <param name="outputs">Of the session that wrote it.</param>
    /// <exception cref="IOException">It cannot be read or written, or is another model.</exception>
    /// <exception cref="Contracts.Errors.ServingException">It is no such file, or there is no memory for it.</exception>
    public static void Settle(string path, IReadOnlyCollection<string> inputs, IReadOnlyCollection<string> outputs)
    {
        using var file = Read(path);
        var bytes = file.Bytes;
        var graph = FindGraph(bytes, out var start);
        var parts = Parts.Of(bytes, graph);
        var unused = parts.Inputs.Where(input => !inputs.Contains(input.Key) && !parts.Initializers.Contains(input.Key)).Select(static input => input.Value).OrderBy(static slice => slice.Offset).ToList();
        if (!inputs.All(parts.Inputs.ContainsKey) || !parts.Outputs.SetEquals(outputs))
        {
            throw new IOException("what was written has other inputs or outputs");
        }

        if (unused.Count > 0)
        {
            Write(path, bytes, start, graph, unused);
        }
    }

    private static MemoryFile Read(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.SequentialScan);
        var file = MemoryFile.Create(RandomAccess.GetLength(handle), isSecret: false, hasPath: false);
        try
        {
            var bytes = file.Bytes;
            for (int at = 0, read; at < bytes.Length; at += read)
            {
                read = RandomAccess.Read(handle, bytes[at..], at);
                if (read == 0)
                {
                    throw new EndOfStreamException("what was written is cut off");
                }
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <param name="start">Of the field, with its tag.</param>
    private static Slice FindGraph(ReadOnlySpan<byte> bytes, out int start)
    {
        var model = new ProtoReader(bytes, "ModelProto");
        for (start = 0; model.Next(); start = model.Position)
        {
            if (model.Field == Graph)
            {
                return model.ReadSlice();
            }

            model.Skip();
        }

        throw new IOException("what was written has no graph");
    }

    private static void Write(string path, ReadOnlySpan<byte> bytes, int start, Slice graph, List<Slice> unused)
    {
        var length = graph.Length - unused.Sum(static slice => slice.Length);
        var head = new byte[2 * ProtoWriter.MaxVarintSize];
        var writer = new ProtoWriter(head);
        writer.WriteLength(Graph, length);
        using var file = File.Create(path);
        file.Write(bytes[..start]);
        file.Write(head.AsSpan(0, writer.Position));
        var at = graph.Offset;
        foreach (var slice in unused)
        {
            file.Write(bytes[at..slice.Offset]);
            at = slice.Offset + slice.Length;
        }

        file.Write(bytes[at..]);
    }

    /// <summary>What a graph has names for.</summary>
    private sealed class Parts
    {
        /// <summary>With their tags.</summary>
        public Dictionary<string, Slice> Inputs { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Outputs { get; } = new(StringComparer.Ordinal);

        public HashSet<string> Initializers { get; } = new(StringComparer.Ordinal);

        public static Parts Of(ReadOnlySpan<byte> bytes, Slice graph)
        {
            var parts = new Parts();
            var reader = new ProtoReader(bytes, graph, "GraphProto");
            for (var start = graph.Offset; reader.Next(); start = reader.Position)
            {
                if (reader.Field is not (Initializer or Input or Output))
                {
                    reader.Skip();
                    continue;
                }

                var field = reader.Field;
                var name = NameOf(bytes, reader.ReadSlice(), field == Initializer ? TensorName : ValueName);
                if (field == Input)
                {
                    parts.Inputs[name] = new Slice(start, reader.Position - start);
                }
                else
                {
                    (field == Output ? parts.Outputs : parts.Initializers).Add(name);
                }
            }

            return parts;
        }

        private static string NameOf(ReadOnlySpan<byte> bytes, Slice part, int field)
        {
            var reader = new ProtoReader(bytes, part, "a part of GraphProto");
            while (reader.Next())
            {
                if (reader.Field == field && reader.WireType == WireType.LengthDelimited)
                {
                    return Encoding.UTF8.GetString(reader.ReadSlice().Of(bytes));
                }

                reader.Skip();
            }

            return "";
        }
    }
}
