using System.Text.Json.Nodes;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Conformance.Fuzz;

/// <summary>A valid request for one model, in each of the protocols' forms.</summary>
internal sealed class SeedRequest
{
    private readonly Random _random;

    public SeedRequest(Random random)
    {
        _random = random;
        Model = random.Pick(ModelShape.All);
        var batch = random.Next(1, 4);
        Inputs = [.. Model.Inputs.Select(input => new SeedTensor(random, input, batch))];
    }

    public ModelShape Model { get; }

    public IReadOnlyList<SeedTensor> Inputs { get; }

    /// <summary>The path of the model's REST inference.</summary>
    public string Path => $"/v2/models/{Model.Name}/infer";

    public ModelInferRequest ToMessage()
    {
        var typed = Inputs.All(input => input.HasTypedForm) && _random.OneIn(3);
        var message = new ModelInferRequest { ModelName = Model.Name, Id = _random.OneIn(2) ? "id" : "" };
        foreach (var input in Inputs)
        {
            message.Inputs.Add(new ModelInferRequest.Types.InferInputTensor
            {
                Name = input.Input.Name,
                Datatype = input.Input.Datatype,
                Shape = { input.Shape },
                Contents = typed ? input.ToContents() : null,
            });
            if (!typed)
            {
                message.RawInputContents.Add(ByteString.CopyFrom(input.ToRaw()));
            }
        }

        if (_random.OneIn(4))
        {
            message.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = Model.Outputs[0] });
        }

        return message;
    }

    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (_random.OneIn(2))
        {
            json["id"] = "id";
        }

        json["inputs"] = new JsonArray([.. Inputs.Select(input => Describe(input, input.ToJson(_random.OneIn(2))))]);
        if (_random.OneIn(4))
        {
            json["outputs"] = new JsonArray(new JsonObject { ["name"] = Model.Outputs[0] });
        }

        // JSON has neither 16-bit floats' exact text nor NaN: those outputs travel as bytes.
        if (_random.OneIn(2) || Model.Name is "nan_inf" or "many_outputs" or "identity_fp16" or "identity_bf16")
        {
            json["parameters"] = new JsonObject { ["binary_data_output"] = true };
        }

        return json;
    }

    /// <summary>JSON in front of binary tensors, and those tensors.</summary>
    public (JsonObject Json, byte[] Tail) ToBinary()
    {
        var json = ToJson();
        var tail = new List<byte>();
        var inputs = new JsonArray();
        foreach (var input in Inputs)
        {
            var raw = input.ToRaw();
            tail.AddRange(raw);
            var described = Describe(input, data: null);
            described["parameters"] = new JsonObject { ["binary_data_size"] = raw.Length };
            inputs.Add(described);
        }

        json["inputs"] = inputs;
        return (json, [.. tail]);
    }

    private static JsonObject Describe(SeedTensor input, JsonArray? data)
    {
        var described = new JsonObject
        {
            ["name"] = input.Input.Name,
            ["shape"] = new JsonArray([.. input.Shape.Select(dimension => JsonValue.Create(dimension))]),
            ["datatype"] = input.Input.Datatype,
        };
        if (data is not null)
        {
            described["data"] = data;
        }

        return described;
    }
}
