using System.Collections.Immutable;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;
using Cluster.Grains.Sessions.Batching;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cluster.Grains.Sessions;

/// <summary>What a loaded graph takes and gives.</summary>
internal sealed class ModelSignature
{
    private ModelSignature(TensorSlot[] inputs, TensorSlot[] outputs, ImmutableSortedDictionary<string, string> unserved)
    {
        Unserved = unserved;
        Inputs = inputs;
        Outputs = outputs;
        OutputNames = [.. outputs.Select(output => output.Name)];
        InputNames = string.Join(", ", inputs.Select(input => $"'{input.Name}'"));
    }

    /// <summary>In the graph's order, those with a default last.</summary>
    public TensorSlot[] Inputs { get; }

    /// <summary>Those that can be served, in the graph's order.</summary>
    public TensorSlot[] Outputs { get; }

    /// <summary>The graph's other outputs, and what they are.</summary>
    public ImmutableSortedDictionary<string, string> Unserved { get; }

    public string[] OutputNames { get; }

    /// <summary>For messages.</summary>
    public string InputNames { get; }

    /// <summary>Whether the first dimension of each input without a default is the batch, of one size in a request.</summary>
    public bool HasBatch { get; private init; }

    /// <summary>Reads a session's signature and narrows it by the settings.</summary>
    /// <exception cref="ServingException">UNAVAILABLE: an input, or all outputs, that the protocol cannot carry, or settings that do not fit the graph.</exception>
    public static ModelSignature Read(InferenceSession session, ModelSettings settings, HashSet<string> undeclaredShapes)
    {
        var required = session.InputMetadata.Select(input => Input(input.Key, input.Value, optional: false));
        var optional = session.OverridableInitializerMetadata
            .Where(input => input.Value.IsTensor)
            .Select(input => Input(input.Key, input.Value, optional: true));
        TensorSlot[] inputs = [.. required, .. optional];
        var unserved = session.OutputNames
            .Select(name => (name, Problem: ProblemOf(session.OutputMetadata[name])))
            .Where(static output => output.Problem is not null)
            .DistinctBy(static output => output.name)
            .ToImmutableSortedDictionary(static output => output.name, static output => output.Problem!, StringComparer.Ordinal);
        if (session.OutputNames.Count == 0)
        {
            throw Unloadable("the model has no outputs; a request would have no answer");
        }

        if (session.OutputNames.All(unserved.ContainsKey))
        {
            var first = session.OutputNames[0];
            throw Unloadable($"output '{first}' {unserved[first]}");
        }

        var served = session.OutputNames.Where(name => !unserved.ContainsKey(name));
        var signature = new ModelSignature(inputs, [.. served.Select(name => Output(name, inputs, session, undeclaredShapes))], unserved)
        {
            HasBatch = settings.MaxBatchSize > 0,
        };
        foreach (var name in settings.InputShapes.Keys.Where(name => name.Length > 0 && !signature.Inputs.Any(input => input.Name == name)))
        {
            throw Unloadable($"input_shapes names '{name}', which is no input of the model; its inputs are {signature.InputNames}");
        }

        BatchRules.Check(settings, signature);
        return signature;

        TensorSlot Input(string name, NodeMetadata metadata, bool optional)
        {
            var limits = settings.InputShapes.TryGetValue(name, out var own) || (!optional && settings.InputShapes.TryGetValue("", out own))
                ? own.AsSpan().ToArray()
                : null;
            if (ProblemOf(metadata) is { } problem)
            {
                throw Unloadable($"input '{name}' {problem}");
            }

            return new TensorSlot(
                name, metadata.ElementDataType, Narrow(name, Declared(name, metadata, undeclaredShapes), limits, optional ? null : settings.BatchSize), optional);
        }
    }

    private static TensorSlot Output(string name, TensorSlot[] inputs, InferenceSession session, HashSet<string> undeclaredShapes)
    {
        var metadata = session.OutputMetadata[name];
        var computed = inputs.All(input => input.Name != name) && session.OutputNames.Count(other => other == name) == 1;
        return new TensorSlot(name, metadata.ElementDataType, Declared(name, metadata, undeclaredShapes), computed: computed);
    }

    /// <summary>Why the protocol cannot carry it; null if it can.</summary>
    private static string? ProblemOf(NodeMetadata metadata) =>
        !metadata.IsTensor ? $"is a {metadata.OnnxValueType}; only tensors can be served"
        : metadata.ElementDataType.ToDatatype() == Contracts.Wire.Datatype.Unknown
            ? $"has elements of type {metadata.ElementDataType}, which KServe v2 has no datatype for"
            : null;

    private static Dimension[]? Declared(string name, NodeMetadata metadata, HashSet<string> undeclaredShapes)
    {
        if (undeclaredShapes.Contains(name))
        {
            return null;
        }

        var dimensions = new Dimension[metadata.Dimensions.Length];
        for (var i = 0; i < dimensions.Length; i++)
        {
            var size = metadata.Dimensions[i];
            dimensions[i] = size >= 0
                ? new Dimension(DimensionRange.Exactly(size), "")
                : new Dimension(DimensionRange.Any, metadata.SymbolicDimensions[i]);
        }

        return dimensions;
    }

    private static Dimension[]? Narrow(string name, Dimension[]? dimensions, DimensionRange[]? limits, DimensionRange? batchSize)
    {
        if (limits is not null)
        {
            dimensions ??= [.. limits.Select(_ => new Dimension(DimensionRange.Any, ""))];
            if (limits.Length != dimensions.Length)
            {
                throw Unloadable($"input_shapes gives input '{name}' {limits.Length} dimensions, but the model declares {dimensions.Length}");
            }

            for (var i = 0; i < limits.Length; i++)
            {
                dimensions[i] = Narrow(name, i, dimensions[i], limits[i]);
            }
        }

        if (batchSize is { } batch && dimensions is [var first, ..])
        {
            dimensions[0] = Narrow(name, 0, first, batch);
        }

        return dimensions;
    }

    private static Dimension Narrow(string name, int index, Dimension dimension, DimensionRange limit)
    {
        var narrowed = new DimensionRange(Math.Max(dimension.Range.Min, limit.Min), Math.Min(dimension.Range.Max, limit.Max));
        return narrowed.Min <= narrowed.Max
            ? dimension with { Range = narrowed }
            : throw Unloadable($"dimension {index} of input '{name}' is {dimension.Range} in the model, which the configured {limit} excludes");
    }

    private static ServingException Unloadable(string message) =>
        new(Failure.Unavailable(message, LoadFailures.RetryAfter));
}

/// <summary>An input or output of a loaded graph, with what checking and binding it needs at hand.</summary>
internal sealed class TensorSlot
{
    public TensorSlot(string name, TensorElementType elementType, Dimension[]? dimensions, bool optional = false, bool computed = true)
    {
        Name = name;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        ElementType = elementType;
        Datatype = elementType.ToDatatype();
        Dimensions = dimensions;
        Optional = optional;
        Computed = computed;
    }

    public string Name { get; }

    public byte[] Utf8Name { get; }

    public TensorElementType ElementType { get; }

    public Datatype Datatype { get; }

    /// <summary>Outermost first, empty for a scalar; null where the graph declares no shape at all.</summary>
    public Dimension[]? Dimensions { get; }

    /// <summary>An input that the graph has a default for.</summary>
    public bool Optional { get; }

    /// <summary>
    /// False for an output that is one of the graph's inputs or is named twice. ONNX Runtime hands out the value that it has and writes
    /// nothing into memory given to it.
    /// </summary>
    public bool Computed { get; }

    /// <summary>Whether the size of the first dimension is the caller's choice: then it counts rows.</summary>
    public bool HasRows => Dimensions is [{ IsFixed: false }, ..];

    /// <summary>As clients see it: −1 where each request chooses, and one −1 in all for an undeclared shape.</summary>
    public TensorSpec ToSpec() =>
        new(Name, Datatype, Dimensions is null ? [-1] : [.. Dimensions.Select(dimension => dimension.IsFixed ? dimension.Range.Min : -1)], Optional);

    /// <summary>The shape for messages: <c>[-1,16]</c>, or <c>[1:8,16]</c> with a configured range.</summary>
    public string DescribeShape() => Dimensions is null ? "any" : $"[{string.Join(',', Dimensions.Select(dimension => dimension.Range))}]";
}

/// <summary>One dimension of a graph's input or output.</summary>
/// <param name="Range">The sizes it may have.</param>
/// <param name="Symbol">The graph's name for it, by which dimensions that are equal are known; empty for none.</param>
internal readonly record struct Dimension(DimensionRange Range, string Symbol)
{
    public bool IsFixed => Range.Min == Range.Max;
}
