using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using FsCheck.Fluent;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class InferRequestMessageTests
{
    private static readonly MessageParser<ModelInferRequest> Reference = ModelInferRequest.Parser.WithDiscardUnknownFields(true);

    [Fact]
    public void Parse_WhatGeneratedCodeWrites_ReadsTheSame() => Messages.ForAll(Messages.Requests, request =>
    {
        var read = Reading.Request(request.ToByteArray());

        Assert.Equal(Reading.Seen(request), read);
    });

    [Fact]
    public void Parse_LooseEncoding_ReadsWhatGeneratedCodeReads() => Messages.ForAll(
        from request in Messages.Requests from seed in Gen.Choose(0, int.MaxValue) select (Request: request, Seed: seed),
        sample =>
        {
            var bytes = new LooseEncoder(sample.Seed).Encode(sample.Request);
            var expected = Reference.ParseFrom(bytes);

            Assert.Equal(sample.Request, expected);
            Assert.Equal(Reading.Seen(expected), Reading.Request(bytes));
        });

    [Fact]
    public void Scan_LooseEncoding_FindsTheHeader() => Messages.ForAll(
        from request in Messages.Requests from seed in Gen.Choose(0, int.MaxValue) select (Request: request, Seed: seed),
        sample =>
        {
            var bytes = new LooseEncoder(sample.Seed).Encode(sample.Request);

            var header = InferRequestHeader.Scan(bytes);

            Assert.Equal(
                (sample.Request.ModelName, sample.Request.ModelVersion, sample.Request.Id),
                (Text(bytes, header.ModelName), Text(bytes, header.ModelVersion), Text(bytes, header.Id)));
        });

    [Fact]
    public void Parse_EveryTruncation_SucceedsWhereGeneratedCodeDoes() => Messages.ForAll(
        Messages.Requests,
        request =>
        {
            var whole = request.ToByteArray();
            for (var length = 0; length < whole.Length; length++)
            {
                var cut = whole[..length];
                var expected = Attempt(() => Reference.ParseFrom(cut));

                Assert.Equal(expected, Attempt(() => Reading.Request(cut)));
                Assert.Equal(expected, Attempt(() => InferRequestHeader.Scan(cut)));
            }
        },
        count: 25);

    [Fact]
    public void Parse_AnyBytesChanged_ReadsOrSaysInvalidArgument() => Messages.ForAll(
        from request in Messages.Requests
        from places in Gen.Choose(0, 10_000).ArrayOf(3)
        from values in Gen.Choose(0, 255).ArrayOf(3)
        select (Bytes: request.ToByteArray(), Places: places, Values: values),
        sample =>
        {
            var bytes = sample.Bytes;
            for (var i = 0; i < sample.Places.Length && bytes.Length > 0; i++)
            {
                bytes[sample.Places[i] % bytes.Length] = (byte)sample.Values[i];
                var message = new InferRequestMessage();

                // Anything but INVALID_ARGUMENT escapes and fails the property.
                if (Attempt(() => message.Parse(bytes)))
                {
                    Assert.All(message.Inputs, input => message.Shape(input).ToArray());
                    Assert.All(message.RawContents, raw => raw.Of(bytes).ToArray());
                }
            }
        },
        count: 500);

    [Fact]
    public void Parse_SecondMessage_ForgetsTheFirst()
    {
        var first = new ModelInferRequest
        {
            ModelName = "m",
            ModelVersion = "1",
            Id = "i",
            Parameters = { ["p"] = new InferParameter { Int64Param = 1 } },
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "a", Shape = { 1, 2 } } },
            Outputs = { new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "b" } },
            RawInputContents = { ByteString.CopyFrom(1, 2) },
        };
        var message = new InferRequestMessage();
        message.Parse(first.ToByteArray());

        message.Parse([]);

        Assert.Equal((default, default, default), (message.ModelName, message.ModelVersion, message.Id));
        Assert.Empty(message.Inputs);
        Assert.Empty(message.Outputs);
        Assert.Empty(message.RawContents);
        Assert.Empty(message.Parameters);
    }

    [Theory]
    [InlineData("inputs")]
    [InlineData("outputs")]
    [InlineData("raw_input_contents")]
    [InlineData("parameters")]
    public void Parse_MoreThan4096OfAKind_Refuses(string kind)
    {
        Assert.True(Attempt(() => new InferRequestMessage().Parse(Many(kind, 4096))));

        var failure = Assert.Throws<ServingException>(() => new InferRequestMessage().Parse(Many(kind, 4097))).Failure;

        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        Assert.Equal($"ModelInferRequest has more than 4096 {kind}", failure.Message);
    }

    [Fact]
    public void Parse_HostileNumberOfDimensions_Refuses()
    {
        var request = new ModelInferRequest
        {
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Shape = { Enumerable.Repeat(1L, 64 * 4096) } } },
        };
        Assert.True(Attempt(() => Reading.Request(request.ToByteArray())));
        request.Inputs[0].Shape.Add(1);

        var failure = Assert.Throws<ServingException>(() => new InferRequestMessage().Parse(request.ToByteArray())).Failure;

        Assert.Contains("dimensions", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_ContentsTwice_Refuses()
    {
        byte[] input = [0x2A, 0, 0x2A, 0];

        Assert.Contains("contents twice", Refusal([0x2A, (byte)input.Length, .. input]), StringComparison.Ordinal);
    }

    private static byte[] Many(string kind, int count)
    {
        var request = new ModelInferRequest();
        for (var i = 0; i < count; i++)
        {
            switch (kind)
            {
                case "inputs":
                    request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor());
                    break;
                case "outputs":
                    request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor());
                    break;
                case "parameters":
                    request.Parameters.Add($"{i}", new InferParameter());
                    break;
                default:
                    request.RawInputContents.Add(ByteString.Empty);
                    break;
            }
        }

        return request.ToByteArray();
    }

    private static string Refusal(byte[] bytes)
    {
        var failure = Assert.Throws<ServingException>(() => new InferRequestMessage().Parse(bytes)).Failure;
        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        return failure.Message;
    }

    private static string Text(byte[] bytes, Slice slice) => System.Text.Encoding.UTF8.GetString(slice.Of(bytes));

    /// <summary>Whether it reads; the errors of both parsers, and no others, say that it does not.</summary>
    private static bool Attempt(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.InvalidArgument)
        {
            return false;
        }
    }
}
