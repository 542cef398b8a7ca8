using System.Text.Json;
using System.Text.Unicode;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest.Json;

/// <summary>
/// Reads the JSON of an inference request in one pass, straight into a message under construction. Members may come in any order. A tensor is written where it is met if its name and datatype are known and every earlier tensor has been written. Else it is written afterwards by
/// <see cref="WriteWaiting"/>, since tensors must stand in the message in the order of their inputs.
/// </summary>
internal sealed class JsonInferRequestReader
{
    private static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = TensorDataReader.MaxDepth };

    /// <summary>For errors.</summary>
    private const string InputForm = "{\"name\": …, \"shape\": […], \"datatype\": \"FP32\", \"data\": […]}";

    private readonly InferRequestBuilder _builder;
    private readonly JsonInferRequest _request = new();
    private bool _waiting;

    /// <summary>Where in the JSON the reader began.</summary>
    private int _offset;

    private JsonInferRequestReader(InferRequestBuilder builder)
    {
        _builder = builder;
    }

    /// <summary>Reads the whole of <paramref name="json"/>.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not JSON, or not an inference request.</exception>
    public static JsonInferRequest Read(ReadOnlySpan<byte> json, InferRequestBuilder builder)
    {
        if (!Utf8.IsValid(json))
        {
            throw ServingException.InvalidArgument("the request's JSON is not UTF-8");
        }

        var reader = new Utf8JsonReader(json, ReaderOptions);
        try
        {
            return new JsonInferRequestReader(builder).ReadRequest(ref reader, json);
        }
        catch (JsonException)
        {
            throw MalformedJson.Of(json, ReaderOptions);
        }
    }

    /// <summary>Writes the <c>data</c> of an input that had to wait.</summary>
    public static void WriteWaiting(ReadOnlySpan<byte> json, JsonInput input, InferRequestBuilder builder)
    {
        var reader = new Utf8JsonReader(json[input.DataStart!.Value..], ReaderOptions);
        reader.Read();
        var offset = input.DataStart.Value;
        WriteData(ref reader, json, ref offset, input, builder);
    }

    private JsonInferRequest ReadRequest(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        JsonMembers.RequireObject(ref reader, "the request");
        var seen = default(Seen);
        while (JsonMembers.NextMember(ref reader))
        {
            if (JsonText.Is(ref reader, "id"u8))
            {
                Once(ref seen, Seen.Id, "id");
                if (JsonMembers.HasValue(ref reader))
                {
                    _builder.AddId(JsonText.Read(ref reader, "the request's id"));
                }
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                Once(ref seen, Seen.Parameters, "parameters");
                if (JsonMembers.HasValue(ref reader))
                {
                    ReadParameters(ref reader);
                }
            }
            else if (JsonText.Is(ref reader, "inputs"u8))
            {
                Once(ref seen, Seen.Inputs, "inputs");
                if (JsonMembers.HasValue(ref reader))
                {
                    ReadInputs(ref reader, json);
                }
            }
            else if (JsonText.Is(ref reader, "outputs"u8))
            {
                Once(ref seen, Seen.Outputs, "outputs");
                if (JsonMembers.HasValue(ref reader))
                {
                    JsonOutputReader.Read(ref reader, _request, _builder);
                }
            }
            else
            {
                reader.Skip();
            }
        }

        // Anything but white space after the object is an error of the JSON.
        reader.Read();
        return _request;
    }

    private void ReadParameters(ref Utf8JsonReader reader)
    {
        JsonMembers.RequireObject(ref reader, "the request's parameters");
        for (var count = 0; JsonMembers.NextMember(ref reader); count++)
        {
            JsonMembers.Limit(count, "parameters");
            var key = JsonText.Read(ref reader, "a parameter's name");
            if (!JsonMembers.HasValue(ref reader))
            {
                continue;
            }

            if (key.AsSpan().SequenceEqual("binary_data_output"u8))
            {
                _request.BinaryByDefault = JsonParameters.ReadBool(ref reader, "request parameter 'binary_data_output'");
            }
            else
            {
                JsonParameters.Pass(ref reader, key, _builder);
            }
        }
    }

    private void ReadInputs(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        JsonMembers.RequireArray(ref reader, "the request's inputs");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            JsonMembers.Limit(_request.Inputs.Count, "inputs");
            _request.Inputs.Add(ReadInput(ref reader, json));
        }
    }

    private JsonInput ReadInput(ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        JsonMembers.RequireObject(ref reader, "an input", InputForm);
        var input = new JsonInput();
        while (JsonMembers.NextMember(ref reader))
        {
            if (JsonText.Is(ref reader, "name"u8))
            {
                JsonMembers.Once(input.Name is not null, input.Title, "name");
                if (JsonMembers.HasValue(ref reader))
                {
                    input.Name = JsonText.Read(ref reader, "an input's name");
                }
            }
            else if (JsonText.Is(ref reader, "datatype"u8))
            {
                JsonMembers.Once(input.Datatype != Datatype.Unknown, input.Title, "datatype");
                if (JsonMembers.HasValue(ref reader))
                {
                    input.Datatype = ReadDatatype(ref reader, input);
                }
            }
            else if (JsonText.Is(ref reader, "shape"u8))
            {
                JsonMembers.Once(input.Shape is not null, input.Title, "shape");
                if (JsonMembers.HasValue(ref reader))
                {
                    JsonShape.Read(ref reader, input);
                }
            }
            else if (JsonText.Is(ref reader, "data"u8))
            {
                JsonMembers.Once(input.DataStart is not null, input.Title, "data");
                if (JsonMembers.HasValue(ref reader))
                {
                    ReadData(ref reader, json, input);
                }
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                JsonMembers.Once(input.HasParameters, input.Title, "parameters");
                if (JsonMembers.HasValue(ref reader))
                {
                    JsonParameters.ReadOfInput(ref reader, input);
                }
            }
            else
            {
                reader.Skip();
            }
        }

        Complete(input);
        return input;
    }

    private void ReadData(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, JsonInput input)
    {
        input.DataStart = _offset + (int)reader.TokenStartIndex;
        if (_waiting || input.Name is null || input.Datatype == Datatype.Unknown)
        {
            reader.Skip();
        }
        else
        {
            WriteData(ref reader, json, ref _offset, input, _builder);
        }
    }

    private static void WriteData(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref int offset, JsonInput input, InferRequestBuilder builder)
    {
        builder.BeginRaw();
        input.DataElements = TensorDataReader.Read(ref reader, json, ref offset, input, builder);
        builder.EndRaw();
        if (input.Shape is not null)
        {
            JsonShape.RequireElements(input);
        }
    }

    private void Complete(JsonInput input)
    {
        var missing = input.Name is null ? "name" : input.Datatype == Datatype.Unknown ? "datatype" : input.Shape is null ? "shape" : null;
        if (missing is not null)
        {
            throw ServingException.InvalidArgument($"{input.Title} has no {missing}");
        }

        if (input.IsInSharedMemory)
        {
            throw ParameterRules.SharedMemory("input", input.Name);
        }

        if (input.DataStart is not null && input.BinarySize is not null)
        {
            throw ServingException.InvalidArgument($"{input.Title} has both data and binary_data_size; it must have one of them");
        }

        if (input.DataElements is null)
        {
            _waiting = true;
        }
        else
        {
            JsonShape.RequireElements(input);
        }

        _builder.AddInput(input.Name, input.Datatype, input.Shape);
    }

    private static Datatype ReadDatatype(ref Utf8JsonReader reader, JsonInput input)
    {
        var name = JsonText.Read(ref reader, $"{input.Title}: datatype");
        var datatype = Datatypes.Parse(name);
        return datatype != Datatype.Unknown
            ? datatype
            : throw ServingException.InvalidArgument($"{input.Title}: datatype '{Utf8Text.Of(name)}' is none of {Datatypes.AllNames}");
    }

    private static void Once(ref Seen seen, Seen member, string name)
    {
        JsonMembers.Once((seen & member) != 0, "the request", name);
        seen |= member;
    }

    [Flags]
    private enum Seen
    {
        Id = 1,
        Parameters = 2,
        Inputs = 4,
        Outputs = 8,
    }
}

/// <summary>Reads samples as the REST front end reads the body of a request that is JSON from its first byte to its last.</summary>
public sealed class JsonSampleReader : ISampleReader
{
    /// <inheritdoc/>
    public PayloadBuffer Read(ReadOnlySpan<byte> json, int limit)
    {
        using var builder = new InferRequestBuilder(json.Length, limit);
        foreach (var input in JsonInferRequestReader.Read(json, builder).Inputs)
        {
            if (input.DataStart is null)
            {
                throw ServingException.InvalidArgument($"{input.Title} has no data");
            }

            if (input.DataElements is null)
            {
                JsonInferRequestReader.WriteWaiting(json, input, builder);
            }
        }

        return builder.Build();
    }
}
